import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'

interface Manifest {
  name: string
  version?: string
  dependencies: Record<string, string>
  devDependencies?: Record<string, string>
}

const read = (path: string) => readFileSync(ROOT + path, 'utf8')
const readManifest = (path: string): Manifest => JSON.parse(read(path))
const folders = readdirSync(`${ROOT}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory()).map(({ name }) => `examples/${name}`)
const sourcesOf = (folder: string) => readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:ts|m?js|jsx)$/.test(name) && !/node_modules|dist/.test(name))
  .map((name) => `${folder}/${name}`)

/** Packages that a source loads, without those of Node.js. The relay plugin needs ws, an optional peer. */
function packagesIn (path: string): string[] {
  const text = read(path)
  const peers = /from '(?:fastify-cobrowse|\.\.\/.*lib)\/relay/.test(text) ? ['ws'] : []
  const names = [...text.matchAll(/(?:from |(?:require|folderOf)\()'((?:@[\w-]+\/)?[\w-]+)[^']*'/g)].map(([, name = '']) => name)
  return [...peers, ...names.filter((name) => name !== 'node' && !builtinModules.includes(name))]
}

const listedBy = (folder: string) => {
  const { dependencies, devDependencies } = readManifest(`${folder}/package.json`)
  return { ...dependencies, ...devDependencies }
}

t.test('examples and the standalone server – package.json – lists every package that they load, as installed here', async (t) => {
  const root = readManifest('package.json')
  const installed: Record<string, string> = {
    ...root.devDependencies, ...root.dependencies, [root.name]: `^${String(root.version)}`
  }
  // Relay nodes in other languages have none.
  const manifests = folders.filter((folder) => existsSync(`${ROOT}${folder}/package.json`))
  t.equal(manifests.length, 6)
  for (const folder of [...manifests, 'demo']) {
    const listed = listedBy(folder)
    const loaded = new Set(sourcesOf(folder).flatMap(packagesIn))
    // The server runs on the sources beside it.
    if (folder === 'demo') loaded.delete(root.name)
    t.strictSame(Object.keys(listed).sort(), [...loaded].sort(), folder)
    for (const [name, range] of Object.entries(listed)) t.equal(range, installed[name], `${folder}: ${name}`)
  }
})

t.test('examples – files that two of them have – are the same', async (t) => {
  for (const name of ['ping.js', 'registry.js', 'rooms.js']) {
    t.equal(read(`examples/relay-ws/${name}`), read(`examples/relay-fastify-websocket/${name}`), name)
  }
})

t.test('the list of examples names each folder', async (t) => {
  const listed = [...read('examples/README.md').matchAll(/^\| \[[\w-]+\]\(([\w-]+)\)/gm)].map(([, name]) => `examples/${name}`)
  t.strictSame(listed.sort(), folders.sort())
})
