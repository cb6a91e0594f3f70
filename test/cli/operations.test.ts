import { spawn } from 'node:child_process'
import t from 'tap'
import { cordonVerb, drainVerb, waitUntilEmpty } from '../../lib/cli/orders.js'
import { nodesVerb } from '../../lib/cli/nodes.js'
import { endVerb } from '../../lib/cli/end.js'
import { joinCobrowse } from '../../lib/node/index.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { redisRegistry } from '../../lib/registry/redis.js'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import { connect, patient, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { ROOT } from '../support/doc-blocks.js'
import { until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { openCli, runCli } from './run-cli.js'
import type { Test } from 'tap'
import type { Verb } from '../../lib/cli/verb.js'
import type { Registry } from '../../types/registry.js'

// Most of a command is waiting.
t.jobs = 4

const SIGNING = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const BY = ['--reason', 'new kernel', '--author', 'anna']
const ENV = { REDIS_URL: '', ZOOKEEPER_HOSTS: '', COBROWSE_PREFIX: '' }

interface Store {
  skip: string | false
  /** Starts a store. Returns the arguments that lead to it, and a way to make registries. */
  start (t: Test): Promise<{ args: string[], makeRegistry: () => Registry, restart: () => Promise<void> }>
}

const STORES: Record<string, Store> = {
  Redis: {
    skip: withoutRedis,
    async start (t) {
      const server = await startRedis(t, '--appendonly', 'yes', '--appendfsync', 'always')
      const redis = connect(t, server.port)
      await skipSettling(redis)
      return {
        args: ['--redis', server.url],
        makeRegistry: () => redisRegistry({ redis }),
        restart: async () => await server.restart({ keepsData: true })
      }
    }
  },
  ZooKeeper: {
    skip: withoutZooKeeper,
    async start (t) {
      const server = await startZooKeeper(t)
      const registries: Registry[] = []
      t.teardown(async () => await Promise.all(registries.map(async (registry) => await registry.close())))
      return {
        args: ['--zookeeper', server.hosts],
        makeRegistry () {
          const registry = zookeeperRegistry({ hosts: server.hosts })
          registries.push(registry)
          return registry
        },
        restart: async () => await server.restart({ keepsData: true })
      }
    }
  }
}

for (const [name, { skip, start }] of Object.entries(STORES)) {
  t.test(`the command on ${name} – orders for a node – are shown, survive a restart, and are taken back`, {
    skip
  }, async (t) => {
    const { args, makeRegistry, restart } = await start(t)
    const cli = openCli(t, ENV)
    const run = async (...words: string[]) => await cli(...words, ...args)
    const registry = patient(makeRegistry())
    const node = await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing: SIGNING })
    t.teardown(async () => await node.close())

    const before = await runCli(['nodes', ...args], ENV)
    t.match(before, { code: 0, errors: '' })
    t.match(before.out, /^NODE {2}STATE {4}ROOMS.*\nn1 {4}serving {2}0 .* wss:\/\/n1\.example\/ws {2}-\n$/)
    t.match(await runCli(['cordon', 'n1', ...BY, ...args], ENV), { code: 0, out: /^n1: cordon by anna \d\.\d s ago: new kernel\n$/, errors: '' })
    await until(() => node.status().state === 'cordoned', 'the node follows the order')
    t.match(await run('cordon', 'n9', ...BY), { code: 0, errors: 'n9 is not registered: the order waits for it\n' })

    await restart()
    const after = await until(async () => {
      const { code, out } = await run('nodes', '--json')
      return code === 0 ? JSON.parse(out) : undefined
    }, 'the store answers again')
    t.match(after.find(({ id }: { id: string }) => id === 'n1')?.order, { kind: 'cordon', reason: 'new kernel', author: 'anna' })
    t.match(after.find(({ id }: { id: string }) => id === 'n9'), { state: 'gone' })

    t.match(await run('uncordon', 'n1'), { code: 0, out: 'n1 gets new rooms again\n', errors: '' })
    t.match(await run('undrain', 'n1'), { code: 0, errors: 'n1 was under no order\n' })
    await until(() => node.status().state === 'serving', 'the node serves again')
    const drained = await run('drain', 'n1', ...BY, '--deadline', '0s', '--return-within', '1s', '--wait')
    t.match(drained, { code: 0, out: /^n1: drain by anna/, errors: /n1 is empty\n$/ })
    t.match(await run('undrain', 'n1'), { code: 0, errors: '' })
    // A Redis that restarted settles first.
    await until(async () => await registry.assign({ tenant: 't1', room: 'r1' }).catch(() => undefined), 'a room', 60_000)
    const room = 'iE9F1qzdF8WNrryTI9A7rJ-pYA3NylNz_CM5sPYwCW8  assigned  n1\n'
    t.strictSame(await run('rooms'), { code: 0, out: room, errors: '' })
    const explained = await run('explain', 't1', 'r1')
    t.match(explained.out, /^room {8}iE9F1qzd[\w-]{35}\nbound to {4}n1 \(assigned, alive, claims: 0/)
    t.match(explained.out, /\nnew rooms {3}n1\nnot on {6}n9 \(cordon by anna: new kernel\)\nnext caller the node n1: /)
    t.match(await run('rooms', '--node', 'n1', '--count'), { code: 0, out: 'NODE  ROOMS\nn1    1\n' })
    t.match(await run('rooms', '--node', 'n9', '--count', '--json'), { code: 0, out: '{}\n' })
    t.match(await run('end', 'tenant', 'room'), { code: 0, out: 'ended\n', errors: '' })
    t.match(await run('end', 'tenant', 'room', '--json'), { code: 0, out: '{"tenant":"tenant","room":"room","ended":true}\n' })
  })
}

t.test('a verb – wrong arguments – names the argument and the fix', async (t) => {
  const url = ['--redis', 'redis://127.0.0.1:1']
  for (const [verb, args, message] of [
    [nodesVerb, [], /which store\? give --redis or --zookeeper, or set REDIS_URL or ZOOKEEPER_HOSTS/],
    [nodesVerb, ['--redis', 'localhost'], /--redis must be a URL such as/],
    [nodesVerb, [...url, '--zookeeper', 'localhost:2181'], /not both/],
    [nodesVerb, [...url, 'extra'], /unexpected argument "extra"/],
    [nodesVerb, ['--zookeeper', 'localhost:2181', '--prefix', 'x'], /--prefix must be a path/],
    [nodesVerb, ['--zookeeper', 'local host'], /--zookeeper must be a list as in host:port/],
    [nodesVerb, ['--nodes'], /Unknown option '--nodes'/],
    [cordonVerb, url, /ID is missing/],
    [cordonVerb, ['n1', ...url], /--reason is missing: say why/],
    [drainVerb, ['n1', ...BY, ...url, '--deadline', '10'], /--deadline must be a time such as 30s/],
    [drainVerb, ['n1', ...BY, ...url, '--return-within', 'soon'], /--return-within must be a time/],
    [endVerb, ['tenant', ...url], /ROOM is missing/]
  ] as Array<[Verb, string[], RegExp]>) {
    Object.assign(process.env, ENV)
    const error: unknown = await verb.run(args).then(() => undefined, (reason: unknown) => reason)
    t.match(error, { name: 'UsageError', message }, args.join(' '))
  }
})

t.test('a verb – an order that no store takes – names the argument, with exit code 2', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  const cli = openCli(t, ENV)
  const run = async (...args: string[]) => await cli(...args, '--redis', url)
  t.match(await run('cordon', 'n 1', ...BY), { code: 2, errors: /the id of a node must be 1 to 64 of/ })
  t.match(await run('cordon', 'n1', '--author', 'a', '--reason', ''), { code: 2, errors: /--reason must be a text of 1 to 200/ })
  t.match(await run('drain', 'n1', ...BY, '--return-within', '1h'), { code: 2, errors: /--return-within must be an integer/ })
  t.match(await run('nodes', '--prefix', 'cobrowse'), { code: 2, errors: /--prefix must be a string with a \{tag\}/ })
})

t.test('a verb – a store that is away, or gives no rights – ends with 3 and the reason, without a password', {
  skip: withoutRedis
}, async (t) => {
  const closed = await findFreePort()
  const away = await runCli(['nodes', '--redis', `redis://user:hush@127.0.0.1:${closed}`], ENV)
  t.match(away, { code: 3, out: '', errors: new RegExp(`Redis at 127.0.0.1:${closed} cannot be asked: .*ECONNREFUSED`) })
  t.notMatch(away.errors, 'hush')
  const { port } = await startRedis(t)
  await connect(t, port).call('ACL', 'SETUSER', 'guest', 'on', '>hush', '~*', '+ping', '+info', '+hget')
  const denied = await runCli(['nodes', '--redis', `redis://guest:hush@127.0.0.1:${port}`], ENV)
  t.match(denied, { code: 3, out: '', errors: /NOPERM/ })
  t.notMatch(denied.errors, 'hush')
})

t.test('watch – until it is interrupted – prints the nodes again and again', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  const child = spawn(process.execPath, [`${ROOT}dist/lib/cli/main.js`, 'watch', '--redis', url, '--interval', '20ms'])
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
  const exited = new Promise((resolve) => child.once('close', resolve))
  await until(() => out.split('NODE').length > 3, 'three tables')
  child.kill('SIGINT')
  t.equal(await exited, 0)
})

t.test('nodes – a prefix that no gateway uses – says that there is none', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  t.match(await runCli(['nodes', '--redis', url, '--prefix', '{other}'], ENV), {
    code: 0, errors: /there is no node: are the store and --prefix those of the gateways\?/
  })
})

t.test('drain --wait – a node that ignores the order – ends with 1', async (t) => {
  const registry = memoryRegistry()
  const { operations = t.fail('no operations') } = registry
  const member = await registry.join({ id: 'n1', wssUrl: 'wss://n1.example/ws' })
  await member.claim({ tenant: 't', room: 'r' })
  const written: string[] = []
  const { write } = process.stderr
  t.teardown(() => { process.stderr.write = write })
  process.stderr.write = (text: unknown) => written.push(String(text)) > 0
  t.equal(await waitUntilEmpty({ operations: operations as NonNullable<Registry['operations']> }, 'n1', 10), 1)
  t.strictSame(written, ['1 rooms left\n', 'n1 does not follow the order\n'])
})
