import t from 'tap'
import { findFreePort } from '../support/redis-server.js'
import { connectClient } from '../support/zookeeper-client.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { runCli } from './run-cli.js'

/** Milliseconds: a session that a busy machine keeps. */
const SESSION = '2400'
const ENV = { COBROWSE_KEY: 'a secret of the tests, long enough', COBROWSE_KEY_ID: 'sample', SESSION }
const ARGS = ['check-node', '--node-id', 'node-1']
const RULES = ['registers', 'admits', 'znodes', 'drop-continues', 'leaves', 'restarts-alone']

t.test('check-node – wrong arguments for ZooKeeper – name the argument and the fix, with exit code 2', async (t) => {
  for (const [args, message] of [
    [['--zookeeper', 'zk:0'], /--zookeeper must be a list as in host:port,host:port\/chroot/],
    [['--zookeeper', 'zk', '--redis', 'redis://127.0.0.1'], /--redis and --zookeeper exclude each other/],
    [['--zookeeper', 'zk', '--prefix', '{x}'], /--prefix is for --redis/]
  ] as Array<[string[], RegExp]>) {
    const { code, errors } = await runCli([...ARGS, ...args], ENV)
    t.equal(code, 2, args.join(' '))
    t.match(errors, message)
  }
})

t.test('check-node – starts, cuts off and restarts a node on ZooKeeper, below a path – reports the rules', {
  skip: withoutZooKeeper
}, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const { client } = await connectClient(t, hosts)
  await client.create('/check', Buffer.alloc(0))
  const { code, out, errors } = await runCli([
    ...ARGS, '--zookeeper', `${hosts}/check`, '--start', `PORT=${await findFreePort()} exec node test/cli/zookeeper-node.mjs`,
    '--lease', SESSION, '--only', RULES.join(',')
  ], ENV)
  t.equal(code, 0, errors)
  for (const id of RULES) t.match(out, new RegExp(`^ok \\d+ - ${id}: [^#]*$`, 'm'), id)
  t.notMatch(out, /noscript/, 'a rule for Redis')
})
