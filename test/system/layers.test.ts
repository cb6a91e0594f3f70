import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'

/** Folders that a folder of lib may import from; files of lib itself are named. */
const MAY_IMPORT: Record<string, string[]> = {
  'errors.ts': [],
  'random-id.ts': [],
  common: ['errors.ts'],
  signing: ['common', 'errors.ts', 'random-id.ts'],
  'redis-client': [],
  'options.ts': ['common', 'signing'],
  gateway: ['common', 'errors.ts', 'signing', 'options.ts'],
  http: ['gateway', 'common', 'errors.ts', 'options.ts'],
  'zookeeper-client': ['common'],
  registry: ['zookeeper-client', 'common', 'errors.ts', 'random-id.ts'],
  provision: ['common', 'errors.ts'],
  sessions: ['common', 'errors.ts'],
  node: ['registry', 'common', 'signing'],
  relay: ['node', 'common'],
  testing: ['registry', 'zookeeper-client', 'sessions', 'common', 'errors.ts', 'signing'],
  client: [],
  recorder: ['client'],
  replayer: ['client'],
  cli: [
    'testing', 'registry', 'zookeeper-client', 'provision', 'signing', 'client', 'common', 'random-id.ts'
  ],
  admin: ['http', 'gateway', 'registry', 'common', 'errors.ts', 'options.ts'],
  'index.ts': ['http', 'gateway', 'registry', 'redis-client', 'provision', 'sessions', 'errors.ts', 'signing', 'options.ts']
}

const FILES = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.ts'))

const folderOf = (path: string) => path.split('/')[0] ?? path

/** Files of lib that a file imports, types included. */
function importsOf (file: string): string[] {
  const text = readFileSync(`${ROOT}lib/${file}`, 'utf8')
  return [...text.matchAll(/(?:from|import) '(\.[^']*)'/g)]
    .map(([, path = '']) => posix.join('lib', posix.dirname(file), path).replace(/\.js$/, '.ts'))
    .filter((path) => path.startsWith('lib/')).map((path) => path.slice('lib/'.length))
}

t.test('folders of lib – their imports – go in one direction', async (t) => {
  t.strictSame([...new Set(FILES.map(folderOf))].sort(), Object.keys(MAY_IMPORT).sort())
  for (const file of FILES) {
    const folder = folderOf(file)
    const wrong = importsOf(file).filter((path) =>
      folderOf(path) !== folder && MAY_IMPORT[folder]?.includes(folderOf(path)) !== true)
    t.strictSame(wrong, [], `${file} imports from ${String(MAY_IMPORT[folder]?.join(', '))} alone`)
  }
})

t.test('the allowed imports – followed from folder to folder – never come back', async (t) => {
  const reachable = (folder: string, seen = new Set<string>()): Set<string> => {
    for (const next of MAY_IMPORT[folder] ?? []) {
      if (!seen.has(next)) reachable(next, seen.add(next))
    }
    return seen
  }
  for (const folder of Object.keys(MAY_IMPORT)) t.notOk(reachable(folder).has(folder), folder)
})

t.test('Fastify – at run time – is known to http and to the plugins alone', async (t) => {
  const plugins = ['admin/index.ts', 'relay/index.ts']
  for (const file of FILES.filter((file) => !['http', 'index.ts'].includes(folderOf(file)) && !plugins.includes(file))) {
    const text = readFileSync(`${ROOT}lib/${file}`, 'utf8')
    t.notMatch(text, /^import (?!type)[^\n]* from 'fastify(-plugin)?'/m, file)
  }
})
