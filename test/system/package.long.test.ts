import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Copies the sources as in a clone, without `dist`; the dependencies are those of the project. */
function makeClone (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const clone = join(folder, 'clone')
  const ignored = ['.git', '.tap', 'dist', 'node_modules'].map((name) => join(root, name))
  cpSync(root, clone, { recursive: true, filter: (path) => !ignored.includes(path) })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  return clone
}

t.test('a fresh clone – packed – is built first, and contains the build of its own sources', async (t) => {
  const { NODE_OPTIONS, ...env } = process.env
  const cwd = makeClone(t)
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--dry-run', '--loglevel=error'], { cwd, env })
  const [{ files }] = JSON.parse(stdout)
  const built = ['lib', 'types'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.tst.ts'))
    .map((path) => `dist/${folder}/${path.replace(/\.ts$/, '')}`)
    .flatMap((path) => [`${path}.js`, `${path}.d.ts`]))
  const paths: string[] = files.map(({ path }: { path: string }) => path)
  t.strictSame(paths.filter((path) => path.startsWith('dist/')).sort(), [...built, 'dist/browser/cobrowse.js'].sort())
})
