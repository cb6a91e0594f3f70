import { connect } from 'node:net'
import { fault, ok, warning } from '../finding.js'
import type { ZooKeeperServer } from '../../../zookeeper-client/hosts.js'
import type { Finding } from '../finding.js'

const ASK_MS = 2000
const OLDEST = [3, 5] as const
const FIX = 'see CobrowseRegistryDown in docs/runbook.md'

interface Look {
  finding: Finding
  isDown?: boolean
}

/**
 * Asks each server by the word `srvr`, which ZooKeeper allows by default. If others answer, a server that is down is a
 * warning.
 */
export async function checkServers (servers: ZooKeeperServer[]): Promise<Finding[]> {
  const looks = await Promise.all(servers.map(look))
  const areAllDown = looks.every(({ isDown }) => isDown === true)
  return looks.map(({ finding, isDown = false }) =>
    isDown && !areAllDown ? { ...finding, outcome: 'warning' } : finding)
}

async function look ({ host, port }: ZooKeeperServer): Promise<Look> {
  const name = `${host.includes(':') ? `[${host}]` : host}:${port}`
  try {
    return judge(name, await ask(host, port))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    return { isDown: true, finding: fault('store', `${name} cannot be reached (${code})`, FIX) }
  }
}

function judge (name: string, answer: string): Look {
  const [, version] = /^Zookeeper version: (\d[\w.]*)/.exec(answer) ?? []
  const [, mode = 'mode unknown'] = /^Mode: (\w+)/m.exec(answer) ?? []
  if (version === undefined && answer.includes('not currently serving')) {
    const text = `${name} serves no requests: it has no quorum`
    return { isDown: true, finding: fault('store', text, 'start a majority of the servers') }
  }
  if (version === undefined) {
    const text = `${name} answers, its version is unknown`
    return { finding: warning('store', text, 'set 4lw.commands.whitelist=srvr to see it') }
  }
  const text = `ZooKeeper ${version} at ${name} answers (${mode})`
  if (isOld(version)) return { finding: fault('store', text, `use ZooKeeper ${OLDEST.join('.')} or newer`) }
  return { finding: ok('store', text) }
}

function isOld (version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}

/** @returns the answer of the server, up to the end of the connection */
async function ask (host: string, port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    let said = ''
    const socket = connect({ host, port }, () => socket.write('srvr'))
    // A server that sends byte by byte would outlive a limit on its silence.
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${ASK_MS / 1000} s`)), ASK_MS)
    socket.on('data', (data) => { said += data.toString().slice(0, 10_000) })
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(said)
    })
  })
}
