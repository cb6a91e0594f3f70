import t from 'tap'
import { createBuffers } from '../../lib/relay/buffers.js'

function createStage () {
  const dropped: string[] = []
  const createClient = (name: string) => ({ name, buffered: 0, socket: { bufferedAmount: 0 } })
  const drop = ({ name }: { name: string }) => { dropped.push(name) }
  const buffers = createBuffers<ReturnType<typeof createClient>>({ each: 100, total: 150 }, drop)
  function enter (name: string) {
    const client = createClient(name)
    buffers.add(client)
    return {
      client,
      fill (bytes: number) {
        client.socket.bufferedAmount = bytes
        buffers.count(client)
      }
    }
  }
  return { buffers, dropped, enter }
}

t.test('a client – more than its share – is dropped alone', async (t) => {
  const { buffers, dropped, enter } = createStage()
  const [slow, other] = [enter('slow'), enter('other')]
  slow.fill(100)
  other.fill(10)
  t.strictSame(dropped, [])
  slow.fill(101)
  t.strictSame(dropped, ['slow'])
  t.equal(buffers.bytes(), 10)
  slow.fill(500)
  t.strictSame(dropped, ['slow'], 'once')
})

t.test('all clients – more than the total – those with most are dropped first', async (t) => {
  const { buffers, dropped, enter } = createStage()
  enter('small').fill(30)
  enter('large').fill(90)
  enter('middle').fill(40)
  t.strictSame(dropped, ['large'])
  t.equal(buffers.bytes(), 70)
})

t.test('all clients – some have been sent their data meanwhile – are counted anew before one is dropped', async (t) => {
  const { buffers, dropped, enter } = createStage()
  const [first, second] = [enter('first'), enter('second')]
  first.fill(90)
  first.client.socket.bufferedAmount = 0
  second.fill(90)
  t.strictSame(dropped, [])
  t.equal(buffers.bytes(), 90)
  buffers.remove(second.client)
  t.equal(buffers.bytes(), 0)
})
