import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'

const page = readFileSync(`${ROOT}docs/architecture.md`, 'utf8')
const files = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts')).map((name) => `lib/${name.replaceAll('\\', '/')}`)

/** Folder of a source file as the picture names it; `index` for the plugin itself; nothing for other files of lib. */
function placeOf (path: string): string | undefined {
  if (path === 'lib/index.ts') return 'index'
  if (path.startsWith('lib/registry/nodes/')) return 'registry/nodes'
  return /^lib\/([^/]+)\//.exec(path)?.[1]
}

/** Reads `a --> b & c --> d`, with labels such as `nodes["registry/nodes"]`. */
function readPicture (mermaid: string) {
  const labels = new Map([...mermaid.matchAll(/([\w-]+)\["([^"]+)"\]/g)].map(([, id = '', label = '']) => [id, label]))
  const chains = mermaid.replaceAll(/\["[^"]+"\]/g, '').split('\n').slice(1).map((line) => line.trim())
    .filter((line) => line !== '').map((line) => line.split('-->').map((part) => part.split('&').map((name) => name.trim())))
    .map((chain) => chain.map((names) => names.map((name) => labels.get(name) ?? name)))
  const arrows = chains.flatMap((chain) => chain.slice(1).flatMap((targets, at) =>
    (chain[at] ?? []).flatMap((from) => targets.map((to) => `${from} → ${to}`))))
  return { places: new Set(chains.flat(2)), arrows: new Set(arrows) }
}

const picture = readPicture(/```mermaid\n([^]*?)```/.exec(page)?.[1] ?? '')

/** Not in the picture: one stands alone, and all others may import the other one. */
const APART = ['client', 'common']

t.test('the picture of folders – each folder of lib – is in it, and no other', async (t) => {
  const places = new Set(files.flatMap((path) => placeOf(path) ?? []))
  t.strictSame([...picture.places, ...APART].sort(), [...places].sort())
})

t.test('imports between folders of lib – each – follow an arrow of the picture', async (t) => {
  const imports = new Map<string, string>()
  for (const path of files) {
    for (const [, target = ''] of readFileSync(ROOT + path, 'utf8').matchAll(/^(?:import|export|\}) [^']*from '(\.[^']+)'/gm)) {
      const imported = posix.join(posix.dirname(path), target).replace(/\.js$/, '.ts')
      const [from, to] = [placeOf(path), placeOf(imported)]
      if (from === undefined || to === undefined || from === to || (to === 'common' && from !== 'client')) continue
      imports.set(`${from} → ${to}`, `${path} imports ${imported}`)
    }
  }
  t.ok(imports.size > 5)
  t.strictSame([...imports].flatMap(([arrow, example]) => picture.arrows.has(arrow) ? [] : example), [])
  t.strictSame([...picture.arrows].filter((arrow) => !imports.has(arrow)), [], 'no arrow without an import')
})

t.test('the picture of folders – its arrows – make no cycle', async (t) => {
  const targetsOf = (from: string) => [...picture.arrows].flatMap((arrow) =>
    arrow.startsWith(`${from} → `) ? arrow.slice(from.length + 3) : [])
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => targetsOf(from).some((next) =>
    next === to || (!seen.has(next) && reaches(next, to, seen.add(next))))
  t.strictSame([...picture.places].filter((place) => reaches(place, place)), [])
})

t.test('docs/architecture.md – at most 100 lines – names only files that exist', async (t) => {
  t.ok(page.split('\n').length <= 101)
  const named = [...page.matchAll(/`([\w/-]+\.ts)`/g)].map(([, name = '']) => name)
  t.ok(named.length > 10)
  t.strictSame(named.filter((name) => ![name, `lib/${name}`].some((path) => existsSync(ROOT + path))), [])
})
