import { readFileSync } from 'node:fs'
import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { createApi } from '../../lib/admin/api.js'
import { ADMIN_DEFAULTS, readAdminOptions } from '../../lib/admin/options.js'
import { memoryRegistry } from '../../lib/index.js'
import { createMetrics } from '../../lib/gateway/metrics.js'
import { createNodeMetrics } from '../../lib/node/metrics.js'
import { createRelayMetrics } from '../../lib/relay/metrics.js'
import { DRAIN_DEFAULTS, RELAY_DEFAULTS } from '../../lib/relay/options.js'
import { toNodeView } from '../../lib/registry/nodes/node-record.js'
import { ROOT } from '../support/doc-blocks.js'
import { readSourceDefaults } from '../support/source-defaults.js'

const read = (path: string) => readFileSync(ROOT + path, 'utf8')
const unquote = (cell = '') => cell.replace(/^`|`$/g, '')

/** Rows of the table that begins with this line, as cells. */
function rowsBelow (path: string, head: string, heading = ''): string[][] {
  const section = heading === '' ? read(path) : read(path).split(`\n${heading}\n`)[1] ?? ''
  const table = section.split(`\n${head}\n`)[1]?.split('\n\n')[0] ?? ''
  return table.split('\n').slice(1).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
}

const HEAD = '| option | default | meaning |'
const ADAPTERS = [
  ['redisSessions', 'lib/sessions/redis.ts', 'types/sessions.ts'],
  ['redisRegistry', 'lib/registry/redis.ts', 'types/registry.ts'],
  ['zookeeperRegistry', 'lib/registry/zookeeper.ts', 'types/registry.ts'],
  ['memoryRegistry', 'lib/registry/memory.ts', 'types/registry.ts'],
  ['httpProvision', 'lib/provision/http/options.ts', 'types/provision.ts']
] as const

t.test('docs/adapters.md – the default of each option – is that of the source and of the types', async (t) => {
  const ofSource = readSourceDefaults(ADAPTERS.map(([, file]) => file))
  for (const [name, file, types] of ADAPTERS) {
    const rows = rowsBelow('docs/adapters.md', HEAD, `### \`${name}\``)
    const shown = Object.fromEntries(rows.flatMap(([option = '', value = '']) =>
      value.startsWith('`') ? [[unquote(option), unquote(value)]] : []))
    t.ok(Object.keys(shown).length > 0, name)
    t.strictSame(shown, ofSource.get(file), `${name}: source`)
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Options`.replace('Zookeeper', 'ZooKeeper')
    const declared = read(types).split(`interface ${type} {`)[1]?.split('\n}')[0] ?? ''
    const ofTypes = [...declared.matchAll(/@default (.+)\n\s+\*\/\n\s+(\w+)\?/g)].map(([, value = '', key = '']) => [key, value])
    const { nodes, ...literals } = shown
    t.strictSame(literals, Object.fromEntries(ofTypes), `${name}: types`)
  }
})

t.test('docs/admin.md – its tables – name each option with its default, and each route', async (t) => {
  const rows = rowsBelow('docs/admin.md', HEAD)
  const declared = read('types/admin.ts').split('interface AdminOptions {')[1] ?? ''
  const names = [...declared.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name)
  t.strictSame(rows.map(([name]) => unquote(name)).sort(), names.sort())
  const ofTypes = [...declared.matchAll(/@default (.+)\n\s+\*\/\n\s+(\w+)\?/g)].map(([, value, name]) => [name, value])
  const ofSource = Object.entries(ADMIN_DEFAULTS).map(([name, value]) => [name, JSON.stringify(value)])
  t.strictSame(ofTypes, ofSource)
  for (const [name, value] of ofSource) t.equal(unquote(rows.find((row) => unquote(row[0]) === name)?.[1]), value)

  const settings = readAdminOptions({ registry: memoryRegistry(), authorize: () => 'anna' }, undefined)
  const routes = createApi(settings, () => '').map(({ method, url }) => `${method} ${url}`)
  const shown = rowsBelow('docs/admin.md', '| request | body | answer |').map(([request]) => unquote(request))
  t.strictSame(shown.sort(), routes.sort())
})

t.test('docs/relay.md – its table – names each own option of the plugin with its default', async (t) => {
  const rows = rowsBelow('docs/relay.md', HEAD)
  const declared = read('types/relay.ts').split('interface RelayOptions extends NodeOptions {')[1]?.split('\n}')[0] ?? ''
  const names = [...declared.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name).filter((name) => name !== 'id')
  t.strictSame(rows.map(([name]) => unquote(name)), names)
  const ofTypes = [...declared.matchAll(/@default (.+)\n\s+\*\/\n\s+(\w+)\?/g)]
    .map(([, value = '', name = '']) => [name, value])
  const shown = rows.map(([name, value]) => [unquote(name), unquote(value)])
  const { path, isObserver, drain, ...literals } = Object.fromEntries(shown)
  const ofSource = Object.entries(RELAY_DEFAULTS).map(([name, value]) => [name, String(value)])
  t.strictSame(literals, Object.fromEntries(ofSource))
  t.strictSame(Object.fromEntries(ofTypes), { path: 'the path of `wssUrl`', isObserver: 'no client', drain, ...literals })
  const { deadline, returnWithin } = DRAIN_DEFAULTS
  t.equal(drain, `{ deadline: ${deadline}, returnWithin: ${returnWithin} }`)
})

t.test('README.md – the options that it lists for an adapter – are those of the types', async (t) => {
  for (const [name, , types] of ADAPTERS) {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Options`.replace('Zookeeper', 'ZooKeeper')
    const declared = read(types).split(`interface ${type} {`)[1]?.split('\n}')[0] ?? ''
    const names = [...declared.matchAll(/^ {2}(\w+\??):/gm)].map(([, option]) => option)
    const [, listed = ''] = new RegExp(`^\\* \`${name}\\(\\{ ([^}]*) \\}\\)`, 'm').exec(read('README.md')) ?? []
    t.strictSame(listed.split(', ').sort(), names.sort(), name)
  }
})

t.test('docs/relay-nodes.md – the defaults of a node record – are those of the registries', async (t) => {
  const rows = rowsBelow('docs/relay-nodes.md', '| field | default | meaning |')
  const wssUrl = 'wss://10.1.2.3:8443/ws'
  const { id, incarnation, wssUrl: _, ...defaults } = toNodeView({ id: 'n', wssUrl }, 'i')
  const shown = rows.flatMap(([field, value = '']) => value === '' || value === 'mandatory' ? [] : [[unquote(field), value]])
  t.strictSame(shown.sort(), Object.entries(defaults).map(([field, value]) => [field, String(value)]).sort())
})

t.test('docs/relay-nodes.md – the table of close codes – names each code, and no other', async (t) => {
  const rows = rowsBelow('docs/relay-nodes.md', '| close code | when | reaction of the client |')
  const codes = [...read('types/close-code.ts').matchAll(/\| (\d{4})/g)].map(([, code]) => code)
  t.strictSame(rows.map(([code]) => code), codes)
})

t.test('docs/operations.md – the table of metrics – names each metric with its type and labels, and no other', async (t) => {
  const registry = new PromRegistry()
  await createMetrics(registry)
  await createNodeMetrics(registry)
  await createRelayMetrics(registry)
  const tables = ['| metric | type | labels |', '| metric of a node | type | labels |']
  const rows = tables.flatMap((table) => rowsBelow('docs/operations.md', table)).flatMap(([names = '', type = '', labels = '']) =>
    names.split(', ').map((name) =>
      [unquote(name), type.split(',')[0], [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).join()]))
  const metrics = registry.getMetricsAsArray().map((metric) => {
    const { name, type, labelNames = [] } = metric as unknown as { name: string, type: string, labelNames?: string[] }
    return [name, type, labelNames.join()]
  })
  t.strictSame(rows.sort(), metrics.sort())
})

t.test('docs/security.md – limits on memory – are those of the sources', async (t) => {
  const rows = rowsBelow('docs/security.md', '| entries | key | limit | share of a tenant | lifetime |')
  const limitOf = (start: string) => /\d[\d,]*\d/.exec(rows.find(([entries]) => entries?.startsWith(start))?.[2] ?? '')?.[0]
  for (const [entries, file] of [
    ['known rooms', 'lib/gateway/known-rooms.ts'],
    ['answers of CC-Provision', 'lib/provision/http/kept-answers.ts'],
    ['failed requests to CC-Provision', 'lib/provision/http/kept-answers.ts'],
    ['tenants whose requests', 'lib/provision/http/rests.ts'],
    ['rooms of `memoryRegistry`', 'lib/registry/memory/bindings.ts'],
    ['tokens of `memorySessions`', 'lib/sessions/memory.ts'],
    ['claimed rooms that the ZooKeeper', 'lib/registry/zookeeper/assigner.ts'],
    ['rooms that the ZooKeeper registry', 'lib/registry/zookeeper/sweep.ts']
  ] as const) {
    t.match(read(file), new RegExp(`^const MAX_\\w+ = ${limitOf(entries)?.replaceAll(',', '_')}$`, 'm'), `${entries}: ${file}`)
  }
})
