import { readFileSync } from 'node:fs'
import t from 'tap'
import { ok, SUBJECTS, warning } from '../../lib/cli/doctor/finding.js'
import { cleanse, toLines } from '../../lib/cli/doctor/report.js'
import { createSecrets } from '../../lib/cli/doctor/secrets.js'
import { doctorVerb } from '../../lib/cli/doctor.js'
import { ROOT } from '../support/doc-blocks.js'
import { address, startHttpServer } from '../support/http-server.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { startDemo } from '../support/start-demo.js'
import { NO_ENV } from './doctor/expect.js'
import { runCli } from './run-cli.js'

// Most of a check is waiting.
t.jobs = 3

const KEY = 'k'.repeat(32)

t.test('doctor – a healthy deployment with Redis, the demo and CC-Provision – prints "ok" in every line', {
  skip: withoutRedis
}, async (t) => {
  const server = await startRedis(t, '--appendonly', 'yes')
  await skipSettling(connect(t, server.port))
  const demo = await startDemo(t, { REDIS_URL: server.url })
  const provision = await startHttpServer(t, address('relay.example'))
  const examine = async () => await runCli([
    'doctor', '--redis', server.url, '--provision', provision.url, '--demo', '--gateway', demo.base
  ], { ...NO_ENV, COBROWSE_KEY: KEY })
  const first = await examine()
  // On a busy machine a call may take longer than it may: what is wrong shows again.
  const { code, out, errors } = first.code === 0 ? first : await examine()
  const lines = out.trimEnd().split('\n')
  t.equal(lines.pop(), `${lines.length - 1} ok, 0 warning, 0 fault, 1 not checked`)
  t.strictSame(lines.filter((line) => !line.startsWith('ok ')).map((line) => line.slice(0, 28)), ['not checked  clocks of nodes'])
  for (const subject of ['store', 'rights', 'nodes', 'signing key', 'provision', 'token', 'ask', 'open', 'admit', 'end']) {
    t.ok(lines.some((line) => line.slice(13, 30).trimEnd() === subject), subject)
  }
  t.match({ code, errors }, { code: 0, errors: '' })
})

t.test('doctor – faults in all parts – ends with 1, and prints no secret', async (t) => {
  const [redis, gateway] = [await findFreePort(), await findFreePort()]
  const secrets = ['hush%20word', 'hush word', 'token-of-a-user', 'short-key', 'credentials-of-a-gateway']
  const args = [
    'doctor', '--redis', `redis://user:${secrets[0]}@127.0.0.1:${redis}`, '--user', 'u1',
    '--gateway', `http://127.0.0.1:${gateway}`, '--provision', `http://127.0.0.1:${gateway}/?key=hush`
  ]
  const env = {
    ...NO_ENV, COBROWSE_TOKEN: 'token-of-a-user', COBROWSE_KEY: 'short-key', PROVISION_AUTHORIZATION: 'credentials-of-a-gateway'
  }
  const { code, out, errors } = await runCli([...args, '--json'], env)
  t.equal(code, 1)
  const faults = JSON.parse(out).filter(({ outcome }: { outcome: string }) => outcome === 'fault')
  t.strictSame(faults.map(({ subject }: { subject: string }) => subject), ['store', 'signing key', 'provision', 'ask'])
  for (const line of faults) t.not(line.fix ?? '', '', line.subject)
  for (const secret of secrets) t.notMatch(out + errors, secret)
})

t.test('doctor – wrong arguments – name the argument', async (t) => {
  for (const name of Object.keys(NO_ENV)) Reflect.deleteProperty(process.env, name)
  for (const [args, message] of [
    [[], /what is to be checked\? give --redis or --zookeeper/],
    [['--redis', 'redis://127.0.0.1:1', '--lease', '6s'], /--lease must be a whole number/],
    [['--zookeeper', '127.0.0.1:1', '--prefix', 'x'], /--prefix must be a path/],
    [['--gateway', 'http://127.0.0.1:1'], /--gateway needs --token/]
  ] as Array<[string[], RegExp]>) {
    await t.rejects(doctorVerb.run(args), { name: 'UsageError', message })
  }
})

t.test('a report – text of a store – has no secrets and no control characters', async (t) => {
  const secrets = createSecrets()
  secrets.add('hush', undefined, 'a')
  const findings = cleanse([warning('orders', 'hush \u001b[31m eyJhbGciOiJIUzI1NiJ9.eyJh', 'as hush'), ok('store', 'fine')], secrets)
  t.equal(toLines(findings), [
    'warning      orders           *** \ufffd[31m ***',
    '                              fix: as ***',
    'ok           store            fine',
    '1 ok, 1 warning, 0 fault, 0 not checked\n'
  ].join('\n'))
})

t.test('docs/command.md – the table of checks – names each subject, and no other', async (t) => {
  const [, table = ''] = readFileSync(`${ROOT}docs/command.md`, 'utf8').split('| check | on | a warning or a fault if |\n')
  const rows = (table.split('\n\n')[0] ?? '').split('\n').slice(1)
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, subject]) => subject))
  t.strictSame(named, SUBJECTS)
})
