import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'

const page = readFileSync(`${ROOT}docs/architecture.md`, 'utf8')
const files = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts')).map((name) => `lib/${name.replaceAll('\\', '/')}`)

/** Folder of a source file as the picture names it; `index` for the plugin itself; nothing for other files of lib. */
const placeOf = (path: string) => path === 'lib/index.ts' ? 'index' : /^lib\/([^/]+)\//.exec(path)?.[1]

/** Reads `a --> b & c --> d`, and gives each arrow as `a → b`. */
function readArrows (mermaid: string): string[] {
  const chains = mermaid.split('\n').slice(1).filter((line) => line.includes('-->'))
    .map((line) => line.split('-->').map((part) => part.split('&').map((name) => name.trim())))
  return chains.flatMap((chain) => chain.slice(1).flatMap((targets, at) =>
    (chain[at] ?? []).flatMap((from) => targets.map((to) => `${from} → ${to}`))))
}

t.test('the picture of folders – its arrows – are the imports between folders of lib', async (t) => {
  const arrows = new Set<string>()
  for (const path of files) {
    for (const [, target = ''] of readFileSync(ROOT + path, 'utf8').matchAll(/^(?:import|export|\}) [^']*from '(\.[^']+)'/gm)) {
      const [from, to] = [placeOf(path), placeOf(posix.join(posix.dirname(path), target))]
      // All folders but the client's may import this one.
      if (from === undefined || to === undefined || from === to || to === 'common') continue
      arrows.add(`${from} → ${to}`)
    }
  }
  t.strictSame(readArrows(/```mermaid\n([^]*?)```/.exec(page)?.[1] ?? '').sort(), [...arrows].sort())
})

t.test('the table of folders – each folder of lib – is in it, and no other', async (t) => {
  const named = [...page.matchAll(/^\| (`lib\/[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`lib\/([\w-]+)`/g)].map(([, name]) => name))
  t.strictSame(named.sort(), [...new Set(files.flatMap((path) => placeOf(path) ?? []))].filter((name) => name !== 'index').sort())
})

t.test('docs/architecture.md – at most 100 lines – names only files that exist', async (t) => {
  t.ok(page.split('\n').length <= 101)
  const named = [...page.matchAll(/`([\w/-]+\.ts)`/g)].map(([, name = '']) => name)
  t.ok(named.length > 10)
  t.strictSame(named.filter((name) => ![name, `lib/${name}`].some((path) => existsSync(ROOT + path))), [])
})
