import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect, sign } from './foreign-node.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { startNode } from './foreign-node.js'

const RESETS = 40

/** Value for the `skip` of tap on systems that do not show the threads and files of another process. */
export const withoutProc = existsSync('/proc/self/task') ? false : 'needs /proc'

/** Holds that a client that resets its connection, admitted or not, costs the node no thread and no open file. */
export async function testResets (t: Test, { store, port, pid }: Awaited<ReturnType<typeof startNode>>): Promise<void> {
  const held = () => ['task', 'fd'].map((kind) => readdirSync(`/proc/${pid()}/${kind}`).length)
  // Pools of threads grow to their size first.
  await resetOne()
  const before = held()
  for (let count = 0; count < RESETS; count++) await resetOne()
  const isBack = () => held().every((count, at) => count < (before[at] ?? 0) + RESETS / 2)
  await until(isBack, `threads and files are back near ${before.join(' and ')}`)
  t.pass()

  async function resetOne (): Promise<void> {
    const socket = connect(port, sign(await store.incarnation(), 'recorder'))
    socket.on('error', () => {})
    await once(socket, 'open')
    socket.ping()
    await once(socket, 'pong')
    Reflect.get(socket, '_socket').resetAndDestroy()
    await once(socket, 'close')
  }
}
