import { readArguments } from './arguments.js'
import { runCheck } from './doctor/check.js'
import { notChecked } from './doctor/finding.js'
import { checkGateway, readTarget } from './doctor/gateway.js'
import { checkProvision, readProvision } from './doctor/provision.js'
import { checkRedis } from './doctor/redis.js'
import { cleanse, countOf, toLines } from './doctor/report.js'
import { createSecrets, passwordsOf } from './doctor/secrets.js'
import { checkKey, readKey } from './doctor/signing.js'
import { checkZooKeeper } from './doctor/zookeeper.js'
import { EXIT, UsageError } from './exit.js'
import { load } from './load.js'
import { findStore, STORE_HELP, STORE_OPTIONS } from './store.js'
import type { Finding } from './doctor/finding.js'
import type { ExpectedTimes } from './doctor/redis/epoch.js'
import type { StoreAddress } from './store.js'
import type { Verb } from './verb.js'

const OPTIONS = {
  ...STORE_OPTIONS,
  lease: { type: 'string' },
  heartbeat: { type: 'string' },
  linger: { type: 'string' },
  'key-id': { type: 'string' },
  'private-key': { type: 'string' },
  provision: { type: 'string' },
  pick: { type: 'string' },
  tenant: { type: 'string' },
  channel: { type: 'string' },
  gateway: { type: 'string' },
  token: { type: 'string' },
  user: { type: 'string' },
  demo: { type: 'boolean' }
} as const

const HELP = `Usage: fastify-cobrowse doctor [options]

Checks a deployment, and prints a line for each check: ok, warning or fault, with a fix. It reads the store as
a gateway does. If a gateway is given, it begins one call and ends it.

${STORE_HELP}
  --lease MS           times that are expected in Redis. Defaults 6000, 2000 and 20
  --heartbeat MS
  --linger SECONDS
  --key-id ID          signing key of the gateways; also COBROWSE_KEY_ID. The secret is read from COBROWSE_KEY
  --private-key FILE   Ed25519 key in PEM, in place of COBROWSE_KEY
  --provision URL      CC-Provision, as for the gateways; also PROVISION_URL. PROVISION_AUTHORIZATION holds the header
                       "Authorization"
  --pick POINTER       position of the address in its answer; also PROVISION_PICK. Default /data/address
  --tenant ID --channel ID        values for {tenantId} and {channelId} in that URL
  --gateway URL        makes one whole connection through this gateway
  --token TOKEN        for it: the ccmessaging-token of a user; better COBROWSE_TOKEN, which other users cannot see
  --user ID            for it: the id of this user
  --demo               makes the connection through the demo on this machine, in place of --token and --user

Exit codes: 0 no fault, 1 a fault, 2 wrong arguments, 3 the checks could not be run.
`

export const doctorVerb: Verb = {
  summary: 'checks a deployment, and says how to correct it',
  help: HELP,
  async run (args) {
    const { values } = readArguments(args, OPTIONS)
    const store = findStore(values)
    const times = readTimes(values)
    const key = readKey(values)
    const question = readProvision(values)
    const target = readTarget(values)
    if ([store, key, question, target].every((part) => part === undefined)) {
      throw new UsageError('what is to be checked? give --redis or --zookeeper, or see doctor --help')
    }
    const WebSocket = target && await loadWebSocket()
    if (store?.kind === 'redis') await load('ioredis', async () => await import('ioredis'))
    const secrets = createSecrets()
    secrets.add(process.env.COBROWSE_KEY, target?.token, question?.authorization, ...secretsOf(store))

    const check = { ms: CHECK_MS, fix: 'run doctor again; if this line comes back, report it' }
    const groups = await Promise.all([
      checkStore(store, times),
      runCheck('signing key', async () => await checkKey(key), check),
      runCheck('provision', async () => await checkProvision(question), check),
      runCheck('ask', async () => await checkGateway(target, WebSocket, secrets), check)
    ])
    const findings = cleanse(groups.flat(), secrets)
    process.stdout.write(values.json === true ? `${JSON.stringify(findings, undefined, 2)}\n` : toLines(findings))
    return countOf(findings, 'fault') === 0 ? EXIT.ok : EXIT.negative
  }
}

/** More than all steps of a connection may take together. */
const CHECK_MS = 20_000

async function checkStore (store: StoreAddress | undefined, times: ExpectedTimes): Promise<Finding[]> {
  if (store === undefined) return [notChecked('store', 'give --redis or --zookeeper')]
  return store.kind === 'redis' ? await checkRedis(store, times) : await checkZooKeeper(store)
}

async function loadWebSocket () {
  const { WebSocket } = await load('ws', async () => await import('ws'))
  return WebSocket
}

function secretsOf (store: StoreAddress | undefined): string[] {
  if (store?.kind === 'redis') return passwordsOf(store.url)
  const auth = store?.auth
  return auth === undefined ? [] : [auth, auth.slice(auth.indexOf(':') + 1)]
}

function readTimes (values: Partial<Record<'lease' | 'heartbeat' | 'linger', string>>): ExpectedTimes {
  const read = (name: keyof ExpectedTimes, byDefault: number) => {
    const text = values[name] ?? String(byDefault)
    if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number`)
    return Number(text)
  }
  return { lease: read('lease', 6000), heartbeat: read('heartbeat', 2000), linger: read('linger', 20) * 1000 }
}
