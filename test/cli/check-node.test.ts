import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import t from 'tap'
import { checkNodeVerb } from '../../lib/cli/check-node.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { runCli } from './run-cli.js'
import type { Test } from 'tap'

const KEY = 'a secret of the tests, long enough'
const ENV = { COBROWSE_KEY: KEY, COBROWSE_KEY_ID: 'sample', DRAIN_DEADLINE: '0' }
const NODE = ['--node-id', 'node-1']
const ARGS = ['check-node', ...NODE]
const RULES = ['registers', 'admits', 'record', 'signature-forged', 'leaves', 'restarts']

// Most of a check is waiting.
t.jobs = 4

/** A Redis, and the command line of a node that registers there. */
async function setUp (t: Test) {
  const { url, port: redisPort } = await startRedis(t)
  await skipSettling(connect(t, redisPort))
  const port = await findFreePort()
  const args = [
    ...ARGS, '--redis', url, '--start', `PORT=${port} exec node examples/relay-ws/server.js`, '--only', RULES.join(',')
  ]
  return { url, port, args }
}

const isListening = async (port: number) => await new Promise((resolve) => {
  const socket = connectTcp(port, '127.0.0.1')
  socket.once('connect', () => { socket.destroy(); resolve(true) }).once('error', () => resolve(false))
})

t.test('check-node – wrong arguments – name the argument and the fix', async (t) => {
  for (const [args, message, env] of [
    [['--nodeid', 'x'], /Unknown option '--nodeid'/],
    [[...NODE, 'node-2'], /unexpected argument "node-2"/],
    [NODE, /the environment variable COBROWSE_KEY is missing/, { COBROWSE_KEY: '' }],
    [[...NODE, '--redis', 'localhost:6379'], /--redis must be a URL such as redis:/],
    [[...NODE, '--lease', 'long'], /--lease must be a whole number/],
    [[...NODE, '--stop-signal', 'KILL'], /--stop-signal must be one of TERM, INT, HUP, QUIT/],
    [[...NODE, '--only', 'registers,unknown'], /there is no rule "unknown"/],
    [NODE, /"signing.keys.0.secret" option must be at least 32 bytes/, { COBROWSE_KEY: 'hush' }]
  ] as Array<[string[], RegExp, Record<string, string>?]>) {
    Object.assign(process.env, ENV, env)
    const error: unknown = await checkNodeVerb.run(args).then(() => undefined, (reason: unknown) => reason)
    t.match(error, { name: 'UsageError', message }, args.join(' '))
    t.notMatch(String(error), 'hush')
  }
})

t.test('check-node – a wrong argument – ends with 2 and the message alone', async (t) => {
  t.strictSame(await runCli(['check-node'], ENV), {
    code: 2, out: '', errors: 'fastify-cobrowse: --node-id is missing: see check-node --help\n'
  })
})

t.test('check-node – starts, stops and restarts a node – reports in TAP and JUnit, and leaves nothing behind', {
  skip: withoutRedis
}, async (t) => {
  const { port, args } = await setUp(t)
  const junit = `${t.testdir()}/report.xml`
  const { code, out, errors } = await runCli([...args, '--junit', junit], ENV)
  t.equal(code, 0, errors)
  t.match(out, /^TAP version 14\n1\.\.\d+\n/)
  for (const id of RULES) t.match(out, new RegExp(`^ok \\d+ - ${id}: [^#]*$`, 'm'), id)
  t.match(out, /^ok \d+ - claims: .* # SKIP /m, 'a rule that was not selected')
  t.match(readFileSync(junit, 'utf8'), /<testcase classname="restarts" name="[^"]+"\/>/)
  t.equal(await isListening(port), false, 'the node has ended')
  const incomplete = await runCli([...args, '--only', 'registers', '--complete'], ENV)
  t.equal(incomplete.code, 1, 'with --complete, a rule that was not checked counts')
})

t.test('check-node – a node that breaks a rule – ends with 1 and says how', { skip: withoutRedis }, async (t) => {
  const { args } = await setUp(t)
  const { code, out } = await runCli([...args, '--only', 'registers,admits', '--slack', '500'], {
    ...ENV, COBROWSE_KEY: 'another secret than that of the node'
  })
  t.equal(code, 0, 'the node inherits the environment, and so the same secret')
  t.match(out, /^ok \d+ - admits/m)
  const other = args.map((arg) => arg.replace('PORT=', "COBROWSE_KEY='a secret that only the node knows !' PORT="))
  const broken = await runCli([...other, '--only', 'registers,admits', '--slack', '500'], ENV)
  t.equal(broken.code, 1)
  t.match(broken.out, /^not ok \d+ - admits: .*\n {2}---\n {2}detail: ".+"/m)
})

t.test('check-node – a node that ends by itself – says so beside the broken rules', { skip: withoutRedis }, async (t) => {
  const { args } = await setUp(t)
  const { code, errors } = await runCli([...args, '--start', 'exit 7', '--lease', '500', '--heartbeat', '200'], ENV)
  t.equal(code, 1)
  t.match(errors, /^the node ended by itself: exit code 7$/m)
})

t.test('check-node – the check cannot be done – ends with 3 and the reason', { skip: withoutRedis }, async (t) => {
  const closed = await findFreePort()
  const away = await runCli([...ARGS, '--redis', `redis://127.0.0.1:${closed}`, '--lease', '500', '--heartbeat', '200'], ENV)
  t.equal(away.code, 3, away.errors)
  const { args, port } = await setUp(t)
  const late = await runCli([...args, '--timeout', '1'], ENV)
  t.match(late, { code: 3, errors: /the check has not ended within 1 s: see --timeout/ })
  t.equal(await isListening(port), false)
  const key = `${t.testdir()}/key.pem`
  writeFileSync(key, 'no key')
  t.match(await runCli([...args, '--private-key', key], ENV), { code: 2, errors: /"signing.keys.0.privateKey" option must be/ })
})
