import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { EnvSchema } from '../../demo/env.js'
import { CLIENT_DEFAULTS } from '../../lib/client/settings.js'
import * as errors from '../../lib/errors.js'
import { NODE_DEFAULTS, NodeOptionsSchema } from '../../lib/node/options.js'
import { DEFAULTS, OptionsSchema } from '../../lib/options.js'
import * as nodeScripts from '../../lib/registry/redis/scripts/node.js'
import { listDocuments } from '../support/doc-blocks.js'
import type { AddressInfo } from 'node:net'
import type { Script } from '../../lib/registry/redis/scripts/prelude.js'
import type { Sessions } from '../../types/index.js'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

/** Returns the rows of the table below a heading, as cells. */
function tableOf (text: string, heading: string): string[][] {
  const section = text.split(`\n${heading}\n`)[1]?.split(/\n#+ /)[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(1)
  return rows.map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
}
const unquote = (cell = '') => cell.replace(/^`|`$/g, '')

t.test('the table of options – names every option with its default, and no other', async (t) => {
  const rows = tableOf(read('README.md'), '## Options')
  const ofFastify = ['logLevel', 'logSerializers']
  const names = Object.keys(OptionsSchema.properties).filter((name) => !ofFastify.includes(name))
  t.strictSame(rows.map(([name]) => unquote(name)).sort(), names.sort())
  const { signing, ...defaults } = DEFAULTS
  for (const [name, value] of Object.entries(defaults)) {
    const cell = unquote(rows.find((row) => unquote(row[0]) === name)?.[1])
    t.equal(cell, typeof value === 'string' ? `'${value}'` : JSON.stringify(value), name)
  }
  const ofSigning = rows.find((row) => unquote(row[0]) === 'signing')?.[2]
  t.match(ofSigning, `\`ttl\` ${signing.ttl}:`)
  t.match(ofSigning, `\`skew\` ${signing.skew}:`)
  const mandatory = rows.filter((row) => row[1] === 'mandatory').map(([name]) => unquote(name))
  t.strictSame(mandatory, OptionsSchema.required)
})

t.test('each @default in the types of the options – equals the real default', async (t) => {
  const source = read('types/options.ts') + read('types/signature.ts')
  const found = [...source.matchAll(/@default (.+)\n\s+\*\/\n\s+(\w+)\?/g)].map(([, value, name]) => [name, value])
  const { signing, ...defaults } = DEFAULTS
  const expected = Object.entries({ ...defaults, ...signing })
    .map(([name, value]) => [name, typeof value === 'string' ? `'${value}'` : JSON.stringify(value)])
  t.strictSame(found.sort(), expected.sort())
})

t.test('the table of errors – names every code with its class, and no other', async (t) => {
  const rows = tableOf(read('README.md'), '## Errors').map(([code, name]) => [code, unquote(name)])
  const expected = Object.entries(errors).map(([name, Refusal]) => [new Refusal().code.replace('FST_COBROWSE_', ''), name])
  t.strictSame(rows.sort(), expected.filter(([code]) => /^\d+$/.test(code ?? '')).sort())
})

t.test('the table of the demo’s environment – equals its schema', async (t) => {
  const rows = tableOf(read('demo/README.md'), '## With real backends').map(([name, value, meaning]) =>
    [unquote(name), unquote(value), meaning])
  const expected = Object.entries(EnvSchema.properties).map(([name, { default: value, description }]) =>
    [name, name === 'NODE_PREFIX' ? 'random' : String(value ?? ''), description])
  t.strictSame(rows, expected)
})

t.test('the examples of the README – run unchanged, and print the documented output', async (t) => {
  const examples = [...read('README.md').matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code ?? '')
  const example = examples[0] ?? ''
  const own = examples.find((code) => code.startsWith('export function')) ?? ''
  t.ok(example.trim().split('\n').length <= 25, 'the first example is short')
  t.ok(own.trim().split('\n').length <= 25)
  // The file lies inside the project, so that it finds the package by its own name.
  const folder = `${root}.tap/readme`
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))

  writeFileSync(`${folder}/example.mjs`, example)
  const { NODE_OPTIONS, ...env } = process.env
  const { stdout } = await execute(process.execPath, [`${folder}/example.mjs`], { env })
  const printed = JSON.parse(stdout)
  const shown = JSON.parse(/```json\n([^]*?)```/.exec(read('README.md'))?.[1] ?? '')
  t.strictSame({ ...printed.data, signature: '' }, { ...shown.data, signature: '' })
  t.equal(printed.data.signature.split('.')[0], shown.data.signature.split('.')[0])

  writeFileSync(`${folder}/own.mjs`, own)
  const { serviceSessions } = await import(`${folder}/own.mjs`) as { serviceSessions (url: string): Sessions }
  const session = { tenantId: 't', channelId: 'c', userId: 'u' }
  const answers: Record<string, [number, object]> = { good: [200, session], bad: [404, {}], away: [500, {}] }
  const server = createServer((request, response) => {
    const [status, answer] = answers[String(request.headers['x-token'])] ?? [500, {}]
    response.writeHead(status).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const sessions = serviceSessions(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const signal = AbortSignal.timeout(10_000)
  t.strictSame(await sessions.find('good', signal), session)
  t.equal(await sessions.find('bad', signal), null)
  await t.rejects(sessions.find('away', signal), /500/)
})

t.test('the tables of adapters – name the options of the types', async (t) => {
  const text = read('docs/adapters.md')
  for (const [heading, file, type] of [
    ['### `redisSessions`', 'types/sessions.ts', 'RedisSessionsOptions'],
    ['### `redisRegistry`', 'types/registry.ts', 'RedisRegistryOptions'],
    ['### `zookeeperRegistry`', 'types/registry.ts', 'ZooKeeperRegistryOptions'],
    ['### `memoryRegistry`', 'types/registry.ts', 'MemoryRegistryOptions'],
    ['### `httpProvision`', 'types/provision.ts', 'HttpProvisionOptions']
  ] as const) {
    const declared = read(file).split(`interface ${type} {`)[1]?.split('\n}')[0] ?? ''
    const names = [...declared.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name)
    const rows = tableOf(text, heading).map(([name]) => unquote(name)).filter((name) => !name.startsWith('{'))
    t.strictSame(rows.sort(), names.sort(), type)
  }
})

t.test('the table of the kit – names every option with its default', async (t) => {
  const rows = tableOf(read('docs/relay-nodes.md'), '## In Node.js: the kit')
  const options = rows.filter(([name]) => name !== 'close code' && !/^\d+$/.test(name ?? ''))
  const ofRecord = ['wssUrlOut', 'weight', 'zone', 'version', 'labels', 'capacity']
  const names = Object.keys(NodeOptionsSchema.properties).filter((name) => !ofRecord.includes(name))
  t.strictSame(options.map(([name]) => unquote(name)).sort(), names.sort())
  for (const [name, value] of Object.entries(NODE_DEFAULTS)) {
    t.equal(unquote(options.find((row) => unquote(row[0]) === name)?.[1]), String(value), name)
  }
})

t.test('the tables of the client helper – name every option with its default, every event, and every code', async (t) => {
  const text = read('docs/client.md')
  const types = read('types/client.ts')
  const declared = types.split('interface ConnectOptions {')[1]?.split('\n}')[0] ?? ''
  const rows = tableOf(text, '## Options')
  const names = [...declared.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name)
  t.strictSame(rows.map(([name]) => unquote(name)).sort(), names.sort())
  for (const [name, value] of Object.entries(CLIENT_DEFAULTS)) {
    const cell = unquote(rows.find((row) => unquote(row[0]) === name)?.[1])
    t.equal(cell, typeof value === 'string' ? `'${value}'` : String(value), name)
  }
  const defaults = [...declared.matchAll(/@default (.+)\n\s+\*\/\n\s+(\w+)\?/g)].map(([, value, name]) => [name, value])
  t.match(Object.fromEntries(defaults), Object.fromEntries(Object.entries(CLIENT_DEFAULTS).map(([name, value]) =>
    [name, typeof value === 'string' ? `'${value}'` : String(value)])))

  const events = [...(types.split('interface ConnectionEvents {')[1] ?? '').split('\n}')[0]?.matchAll(/^ {2}(\w+): \(/gm) ?? []]
  t.strictSame(tableOf(text, '## Events').map(([name]) => unquote(name)).sort(), events.map(([, name]) => name).sort())

  const retCodes = [...(types.split('type RetCode =')[1] ?? '').split('\n\n')[0]?.matchAll(/'(\d{5})'/g) ?? []]
  const catalogue = Object.values(errors).map((Refusal) => new Refusal().code.replace('FST_COBROWSE_', ''))
  t.strictSame(retCodes.map(([, code]) => code).sort(), catalogue.filter((code) => /^\d+$/.test(code)).sort())
  const closeCodes = [...read('types/close-code.ts').matchAll(/\| (\d{4})/g)].map(([, code]) => code)
  const documented = tableOf(text, '## Errors and reconnection').map(([code]) => code ?? '').join()
  for (const code of closeCodes) t.match(documented, String(code))
})

t.test('the scripts for nodes in other languages – equal those of this package', async (t) => {
  for (const [name, { text }] of Object.entries<Script>({ ...nodeScripts })) {
    const file = `docs/node-contract/${name.toLowerCase().replaceAll('_', '-')}.lua`
    t.equal(read(file), text, `${file}: node docs/node-contract/generate.mjs`)
  }
})

t.test('each example of a Redis client – has the measured settings', async (t) => {
  const settingsIn = (text: string, after: string) =>
    text.split(after).slice(1).map((rest) => rest.split(/\n *\}/)[0]?.trim())
  const [measured] = settingsIn(read('demo/redis-settings.ts'), 'REDIS_SETTINGS = {')
  const withClient = ['README.md', 'docs/relay-nodes.md', 'examples/gateway/plugins/cobrowse.js', 'examples/relay-ws/registry.js']
  const normalized = (text = '') => text.replace(/\n\s+/g, '\n')
  for (const path of withClient) {
    const shown = settingsIn(read(path), 'new Redis(process.env.REDIS_URL, {').map(normalized)
    t.strictSame(shown, [normalized(measured)], path)
  }
})

/** Anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
  heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))

t.test('links between the documents – lead to existing files and headings', async (t) => {
  for (const file of listDocuments()) {
    const folder = new URL(file, `file://${root}`)
    for (const [, path = '', anchor] of read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const target = path === '' ? folder : new URL(path, folder)
      t.ok(existsSync(target), `${file} → ${path}`)
      if (anchor !== undefined) t.ok(anchorsOf(readFileSync(target, 'utf8')).includes(anchor), `${file} → ${path}#${anchor}`)
    }
  }
})
