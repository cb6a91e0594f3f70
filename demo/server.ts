import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { createDemo } from './app.js'
import { readEnv } from './env.js'
import type { AddressInfo } from 'node:net'
import type { Demo } from './app.js'
import type { Env } from './env.js'

/** Time limit of a close that hangs. */
const HARD_STOP_MS = 10_000
/** Longest wait for the relay nodes before the addresses are printed. */
const REGISTERED_WITHIN_MS = 3000
const USER = 'demo-customer'

/** Starts the standalone server, prints how to use it, and stops it on a signal. */
async function main (): Promise<void> {
  try {
    const env = readEnv()
    if (env.PORT === 0) env.PORT = await findFreePort(env.HOST)
    const demo = await createDemo(env)
    const delay = HARD_STOP_MS + Math.max(env.SHUTDOWN_DELAY, env.DRAIN_DEADLINE)
    closeWithGrace({ delay, logger: demo.app.log }, async () => {
      await Promise.all([sleep(env.SHUTDOWN_DELAY), demo.leave()])
      await demo.close()
    })
    await demo.app.listen({ port: env.PORT, host: env.HOST })
    // What is printed next is pasted at once, and needs a node. A registry that is away must not hold it up.
    await Promise.race([demo.registered(), sleep(REGISTERED_WITHIN_MS)])
    process.stdout.write(await describe(demo, env))
  } catch (error) {
    process.stderr.write(`fastify-cobrowse: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}

async function describe ({ app, authorization, issueToken }: Demo, env: Env): Promise<string> {
  const base = `http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${env.PORT}`
  const page = (name: string) => `  ${name.padEnd(13)}  ${base}/demo/${name}?room=demo-room`
  const lines = [
    `fastify-cobrowse listens on ${base}`,
    ...env.isLoopback ? [`  start here     ${base}/`, ...['customer', 'agent', 'topology'].map(page)] : [],
    ...env.isLoopback ? [`  admin          ${base}/admin/  (any caller on this machine is an operator)`] : [],
    `  API reference  ${base}/docs`,
    `  health         ${base}/healthz  ${base}/readyz  ${base}/metrics`,
    `  authorization  ${authorization}`
  ]
  if (env.zooKeeperHosts !== undefined && env.REDIS_URL === undefined) {
    lines.push('  tokens         in memory: valid at this process alone, until it ends; set REDIS_URL to share them')
  }
  if (env.isLoopback) {
    const token = await issueToken({ tenantId: 'demo', channelId: 'web', userId: USER }).catch(() => undefined)
    lines.push('Ask which node holds a room:', '', token === undefined
      ? '  (the token store cannot be reached yet)'
      : `  ${toCurl(base, token)}`, '')
  }
  app.log.info('ready')
  return `${lines.join('\n')}\n`
}

function toCurl (base: string, token: string): string {
  const body = JSON.stringify({ roomId: 'demo-room', userId: USER, userName: 'Li Na', role: 'recorder' })
  return `curl -sS ${base}/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo ` +
    `-H 'content-type: application/json; charset=utf-8' -H 'cookie: ccmessaging-token=${token}' -d '${body}'`
}

// The adapters need addresses that contain the port, before the server listens.
async function findFreePort (host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

await main()
