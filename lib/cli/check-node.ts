import { writeFileSync, readFileSync } from 'node:fs'
import { readArguments } from './arguments.js'
import { EXIT, UsageError } from './exit.js'
import { readCheckStore } from './check-store.js'
import { load } from './load.js'
import { createNodeProcess } from './node-process.js'
import { toJUnit, toTap } from './reports.js'
import { checkNode } from '../testing/conformance/check-node.js'
import { startToxicProxy } from '../testing/toxic-proxy.js'
import type { Verb } from './verb.js'
import type { CheckStore } from './check-store.js'
import type { CheckNodeOptions, NodeReport } from '../../types/testing.js'

const DEFAULT_TIMEOUT_S = 900

const OPTIONS = {
  redis: { type: 'string' },
  zookeeper: { type: 'string' },
  prefix: { type: 'string' },
  'node-id': { type: 'string' },
  'wss-url': { type: 'string' },
  'key-id': { type: 'string' },
  'private-key': { type: 'string' },
  start: { type: 'string' },
  'stop-signal': { type: 'string' },
  'proxy-port': { type: 'string' },
  ttl: { type: 'string' },
  skew: { type: 'string' },
  lease: { type: 'string' },
  heartbeat: { type: 'string' },
  linger: { type: 'string' },
  patience: { type: 'string' },
  slack: { type: 'string' },
  only: { type: 'string' },
  junit: { type: 'string' },
  complete: { type: 'boolean' },
  timeout: { type: 'string' }
} as const

const HELP = `Usage: fastify-cobrowse check-node --node-id ID [options]

Checks a relay node, in any language, against the contract in docs/relay-nodes.md. Prints TAP.
It deletes everything below the prefix, and all scripts of the Redis server: use one that nothing else needs. With
--zookeeper, it uses everything below /cobrowse.

  --redis URL          Redis of the check; also REDIS_URL. Default redis://127.0.0.1:6379
  --zookeeper HOSTS    ZooKeeper in place of Redis: host:port,host:port, and an existing /path behind it if need be
  --prefix TEXT        prefix of all keys in Redis; also COBROWSE_PREFIX. Default {cobrowse}
  --node-id ID         id of the node
  --wss-url URL        address of the node for the check. Default: that of its record
  --start COMMAND      command line that starts the node. It finds the address of a proxy in REDIS_URL and REDIS_PORT,
                       or ZOOKEEPER and ZOOKEEPER_PORT: a node that connects to it can be cut off. Without --start,
                       start the node yourself, and rules about a restart are not checked
  --stop-signal NAME   signal that stops the node: TERM (default), INT, HUP, QUIT
  --proxy-port PORT    port of the proxy, for a node with a fixed configuration. Default: a free one with --start, none
                       without it
  --key-id ID          id of the signing key; also COBROWSE_KEY_ID. The secret is read from COBROWSE_KEY
  --private-key FILE   Ed25519 key in PEM, in place of COBROWSE_KEY
  --ttl --skew --linger           seconds, as on the node. Defaults 15, 5, 20
  --lease --heartbeat --patience  milliseconds, as on the node. Defaults 6000, 2000, 2000. On ZooKeeper, the lease
                       is the session timeout, and the heartbeat a third of it
  --slack MS           time that machine and network may add to each time of the contract. Default 2000
  --only IDS           ids of rules, separated by commas. Default: all
  --junit FILE         writes the report as JUnit too
  --complete           a rule that was not checked counts as broken
  --timeout SECONDS    ends the check. Default ${DEFAULT_TIMEOUT_S}

Exit codes: 0 all rules kept, 1 a rule is broken, 2 wrong arguments, 3 the check could not be done.
`

type Values = { [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string }

const SIGNALS: Record<string, NodeJS.Signals> = { TERM: 'SIGTERM', INT: 'SIGINT', HUP: 'SIGHUP', QUIT: 'SIGQUIT' }

export const checkNodeVerb: Verb = {
  summary: 'checks a relay node, in any language, against the contract',
  help: HELP,
  async run (args) {
    const { values } = readArguments(args, OPTIONS)
    const nodeId = required(values['node-id'], '--node-id')
    const signing = readSigningKeys(values)
    const signal = SIGNALS[(values['stop-signal'] ?? 'TERM').replace(/^SIG/, '')]
    if (signal === undefined) throw new UsageError(`--stop-signal must be one of ${Object.keys(SIGNALS).join(', ')}`)
    const store = readCheckStore(values)
    const times = readNumbers(values, ['lease', 'heartbeat', 'linger', 'patience', 'slack'])
    const timeoutMs = (readNumbers(values, ['timeout']).timeout ?? DEFAULT_TIMEOUT_S) * 1000

    const { WebSocket } = await load('ws', async () => await import('ws'))
    const opened = await store.open()
    const proxy = await startProxy(values, store)
    const node = values.start === undefined
      ? undefined
      : createNodeProcess(values.start, {
        signal,
        env: { ...process.env, ...proxy !== undefined && store.env(proxy.port) },
        onEnd: (reason) => process.stderr.write(`the node ended by itself: ${reason}\n`)
      })
    const cleanUp = async () => {
      await node?.end()
      await proxy?.close()
      opened.close()
    }
    const unlisten = onInterrupt(cleanUp)
    try {
      node?.start()
      const report = await withTimeout(checkNode({
        ...opened.options,
        nodeId,
        signing: { ...signing, ...readNumbers(values, ['ttl', 'skew']) },
        WebSocket,
        ...times,
        wssUrl: values['wss-url'],
        only: values.only?.split(','),
        ...proxy !== undefined && {
          cut: () => proxy.set('hang'), heal: () => proxy.set('pass'), drop: () => proxy.set('refuse')
        },
        ...node !== undefined && { stop: node.stop, start: node.start },
        log: (line) => process.stderr.write(`${line}\n`)
      }), timeoutMs)
      return tell(report, values)
    } catch (error) {
      // The options of checkNode have the names of the arguments.
      if (error instanceof TypeError && error.message.includes('option')) throw new UsageError(error.message)
      throw error
    } finally {
      unlisten()
      await cleanUp()
    }
  }
}

function required (value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing: see check-node --help`)
  return value
}

// A secret among the arguments could be read by any user of the machine.
function readSigningKeys (values: Values): CheckNodeOptions['signing'] {
  const id = values['key-id'] ?? process.env.COBROWSE_KEY_ID
  const file = values['private-key']
  if (file !== undefined) return { keys: [{ id: required(id, '--key-id'), privateKey: readFileSync(file, 'utf8') }] }
  const secret = required(process.env.COBROWSE_KEY, 'the environment variable COBROWSE_KEY')
  return { keys: [{ id: required(id, '--key-id'), secret }] }
}

function readNumbers<Name extends keyof Values> (values: Values, names: Name[]): { [N in Name]?: number } {
  const numbers: { [N in Name]?: number } = {}
  for (const name of names) {
    const text = values[name]
    if (text === undefined) continue
    if (!/^\d{1,9}$/.test(String(text))) throw new UsageError(`--${name} must be a whole number`)
    numbers[name] = Number(text)
  }
  return numbers
}

async function startProxy (values: Values, { server }: CheckStore) {
  const { 'proxy-port': listenPort } = readNumbers(values, ['proxy-port'])
  if (values.start === undefined && listenPort === undefined) return undefined
  return await startToxicProxy({ ...server, ...listenPort !== undefined && { listenPort } })
}

function onInterrupt (cleanUp: () => Promise<void>): () => void {
  const listener = () => {
    cleanUp().catch(() => {}).finally(() => process.exit(EXIT.failed))
  }
  process.once('SIGINT', listener).once('SIGTERM', listener)
  return () => { process.off('SIGINT', listener).off('SIGTERM', listener) }
}

async function withTimeout<T> (work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the check has not ended within ${ms / 1000} s: see --timeout`)), ms)
  })
  return await Promise.race([work, over]).finally(() => clearTimeout(timer))
}

function tell (report: NodeReport, { junit, complete = false }: Values): number {
  process.stdout.write(toTap(report))
  if (junit !== undefined) writeFileSync(junit, toJUnit(report))
  return report.passed && (report.complete || !complete) ? EXIT.ok : EXIT.negative
}
