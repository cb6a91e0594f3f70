import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { skipWithout } from '../support/skip-reason.js'
import { haproxy, nginx } from './balancer.js'

const execute = promisify(execFile)
const read = (name: string) => readFileSync(`${ROOT}docs/deploy/${name}`, 'utf8')
const PLACES = {
  LISTEN: '127.0.0.1:18446',
  GATEWAY_1: '127.0.0.1:3001',
  GATEWAY_2: '127.0.0.1:3002',
  RELAY_1: '127.0.0.1:8441',
  RELAY_2: '127.0.0.1:8442'
}

const UNITS = ['cobrowse-gateway.service', 'cobrowse-relay.service']
/** Tenths of systemd's exposure level, which goes from 0 to 10. */
const MOST_EXPOSED = 15

/** @returns everything that the program printed, and its exit code if it is not 0 */
async function run (program: string, args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute(program, args)
    return stdout + stderr
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number, stdout: string, stderr: string }
    return `${code}: ${stdout}${stderr}`
  }
}

for (const { name, skip, prepare } of [nginx, haproxy]) {
  t.test(`the configuration of ${name} – filled in – is valid, without a warning`, { skip }, async (t) => {
    const { check, valid } = prepare(t, PLACES)
    t.match(await run(name, check), valid)
  })

  t.test(`the check of ${name} – an unknown directive in the file – fails`, { skip }, async (t) => {
    const { check } = prepare(t, PLACES, (text) => `unknown 1;\n${text}`)
    t.match(await run(name, check), /^1: .*unknown/s)
  })
}

t.test('the units – checked by systemd – are valid, and sandboxed', {
  skip: skipWithout('systemd-analyze')
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-units-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const rate = ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSED}`]
  for (const name of UNITS) {
    const file = join(folder, name)
    // systemd insists on a program that exists.
    writeFileSync(file, read(name).replace('=/usr/bin/node ', `=${process.execPath} `))
    t.equal(await run('systemd-analyze', ['verify', file]), '', name)
    t.notMatch(await run('systemd-analyze', [...rate, file]), /^\d+: /, name)
    writeFileSync(file, read(name).replace(/^(?:DynamicUser|SystemCallFilter|CapabilityBoundingSet)=.*\n/gm, ''))
    t.match(await run('systemd-analyze', [...rate, file]), /^1: /, 'the threshold counts')
  }
})

t.test('a unit – its time to stop – covers the drain that it sets', async (t) => {
  const numberOf = (text: string, name: string) => Number(new RegExp(`^(?:Environment=)?${name}=(\\d+)$`, 'm').exec(text)?.[1])
  const [gateway = '', relay = ''] = UNITS.map(read)
  // The delay is followed by a request that arrives for 5 s and is answered within 1.5 s.
  t.ok(numberOf(gateway, 'TimeoutStopSec') > numberOf(gateway, 'READY_DELAY') / 1000 + 6.5)
  // The deadline is followed by closing handshakes, for which ws waits 30 s.
  t.ok(numberOf(relay, 'TimeoutStopSec') > numberOf(relay, 'DRAIN_DEADLINE') / 1000 + 30)
})

t.test('the page – table of placeholders – lists those of the files', async (t) => {
  const used = (read('nginx.conf') + read('haproxy.cfg')).match(/@[A-Z_\d]+@/g)
  const cells = [...read('README.md').matchAll(/^\| (`@[^|]+)\|/gm)].map(([, cell]) => cell)
  const listed = [...cells.join().matchAll(/@[A-Z_\d]+@/g)].map(([word]) => word)
  t.strictSame([...new Set(used)].sort(), listed.sort())
})
