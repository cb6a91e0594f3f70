import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { startZooKeeper } from '../support/zookeeper-server.js'
import { withoutNode } from './foreign-node.js'
import { testForeignNode } from './foreign-tests.js'
import { pythonOnZooKeeper } from './python-on-zookeeper.js'
import type { Test } from 'tap'

const execute = promisify(execFile)

// All rules are part of `npm run test:long`.
testForeignNode(pythonOnZooKeeper, {
  only: [
    'registers', 'admits', 'znodes', 'record-rooms', 'claims', 'room-key', 'elsewhere', 'releases', 'call-ended', 'moved',
    'moved-given-up'
  ]
})

t.test('the store in Python – the server grants a shorter session – shows the granted timeout', {
  skip: withoutNode(pythonOnZooKeeper)
}, async (t) => {
  t.equal(await inStore(t, 'print(store.session_timeout())', { SESSION: '60000' }), '20000')
})

t.test('the store in Python – kazoo gave up, since no name of a server was resolved – connects again', {
  skip: withoutNode(pythonOnZooKeeper)
}, async (t) => {
  t.equal(await inStore(t, `
    resolve, socket.getaddrinfo = socket.getaddrinfo, unknown
    client._connection._socket.shutdown(socket.SHUT_RDWR)
    while client.client_state != 'CLOSED':
        await asyncio.sleep(0.01)
    socket.getaddrinfo = resolve
    await store.start()
    await store.create_parents()
    print('created')`), 'created')
})

t.test('the store in Python – a claim finds a room that an operator moves – refuses it, and gives the room up', {
  skip: withoutNode(pythonOnZooKeeper)
}, async (t) => {
  const output = await inStore(t, `
    path = '/cobrowse/rooms/ab/abc'
    client.create(path, b'a|1|moving>b|7|3|random-text|[]', makepath=True)
    claimed = await store.claim([], 'a|2', '', [Claim('abc', 8, 9)])
    await store.release('abc', 'a|2', 8, lambda key, _: print(key, 'is closed'))
    print(claimed[0].word, client.get(path)[0].decode())`)
  t.match(output, /^abc is closed\nmoved a\|1\|moved>b\|7\|3\|[\w-]{12}\|\[\]$/)
})

/** Runs lines of Python, indented by four blanks, with a store that is connected. Returns their output. */
async function inStore (t: Test, lines: string, env: Record<string, string> = {}): Promise<string> {
  const { hosts } = await startZooKeeper(t)
  const program = `
import asyncio, socket
from store import Claim, Store

def unknown(*_):
    raise socket.gaierror('unknown name')

async def main():
    store = Store(lambda: None, lambda: None)
    await store.start()
    client = store._client
    ${lines}
    await store.close()

asyncio.run(main())`
  const { stdout } = await execute(pythonOnZooKeeper.program, ['-c', program], {
    cwd: `${ROOT}examples/${pythonOnZooKeeper.folder}`,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...pythonOnZooKeeper.env, ZOOKEEPER: hosts, ...env }
  })
  return stdout.trim()
}
