// `npm run release`: checks, tests and packs a release, and asks npm what it would publish.
// `npm run release -- --publish` publishes it, in a CI job that can make a provenance.
//
// npmjs.com resolves relative links of the README against `repository`, which is not known. The links of the published
// README therefore lead to the files of the package at unpkg.com, which serves every package of the registry.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './prepare.mjs'
import { faultsOfRelease, lacksForProvenance, withAbsoluteLinks } from './release-checks.mjs'

const read = (path) => readFileSync(root + path, 'utf8')
const manifest = JSON.parse(read('package.json'))
const { name, version } = manifest

const faults = faultsOfRelease({
  manifest,
  lock: JSON.parse(read('package-lock.json')),
  changelog: read('CHANGELOG.md'),
  today: new Date().toISOString().slice(0, 10)
})
const { stdout: changes } = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
if (changes) faults.push(`there are changes that are not committed:\n${changes}`)
const isDryRun = !process.argv.includes('--publish')
// A dry run makes no provenance, and so does not complain.
const lacks = lacksForProvenance({ manifest, env: process.env })
if (!isDryRun) faults.push(...lacks)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}

run('npm', ['test'])
const folder = mkdtempSync(join(tmpdir(), `${name}-`))
try {
  run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'])
  run('tar', ['-xzf', `${name}-${version}.tgz`], { cwd: folder })
  const staged = join(folder, 'package')
  const isShipped = (path) => existsSync(join(staged, path))
  const base = `https://unpkg.com/${name}@${version}/`
  writeFileSync(join(staged, 'README.md'), withAbsoluteLinks(read('README.md'), base, isShipped))
  run('npm', ['publish', '--provenance', ...isDryRun ? ['--dry-run'] : [], '--ignore-scripts', staged])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (isDryRun) console.log(lacks.join('\n'))
