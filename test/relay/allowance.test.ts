import t from 'tap'
import { createAllowance } from '../../lib/relay/allowance.js'

const RATES = { messagesPerSecond: 10, bytesPerSecond: 1000 }

function createTimed () {
  let ms = 0
  const { spend } = createAllowance(RATES, () => ms)
  return { spend, pass (time: number) { ms += time } }
}

t.test('a client – within the average and a burst of four seconds – need not wait', async (t) => {
  const { spend, pass } = createTimed()
  for (let count = 0; count < 40; count++) t.equal(spend(1, 100), 0)
  for (let count = 0; count < 40; count++) {
    pass(100)
    t.equal(spend(1, 100), 0)
  }
})

t.test('a client – too many messages – waits until its average is kept', async (t) => {
  const { spend, pass } = createTimed()
  t.equal(spend(40, 0), 0)
  t.equal(spend(1, 0), 100)
  pass(50)
  t.equal(spend(1, 0), 150, 'messages that were read already count')
  pass(250)
  t.equal(spend(1, 0), 0)
})

t.test('a client – too many bytes – waits until its average is kept', async (t) => {
  const { spend, pass } = createTimed()
  t.equal(spend(1, 6000), 2000)
  pass(2000)
  t.equal(spend(1, 0), 0)
})

t.test('a client – silent for long – has saved no more than a burst', async (t) => {
  const { spend, pass } = createTimed()
  pass(1_000_000)
  t.equal(spend(40, 0), 0)
  t.ok(spend(1, 0) > 0)
})
