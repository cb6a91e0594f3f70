// Builds the parts for web pages into one file for a script tag, and writes its hash into docs/browser.md:
// `node .ci/script-tag.mjs` after a change of lib/client, lib/recorder or lib/replayer.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { prepare, root } from './prepare.mjs'

const PARTS = ['client', 'recorder', 'replayer']
const OUTPUT = 'dist/browser/cobrowse.js'
const DOCUMENT = 'docs/browser.md'
const ENTRY = 'script-tag'
const INTEGRITY = /sha384-[\w+/=]+/g

/** Writes the file. The build of lib has to be there. @returns its `integrity` for the script tag */
export async function buildForScriptTag () {
  // Not there before `prepare` has installed it.
  const { rolldown } = await import('rolldown')
  const source = PARTS.map((part) => `export * from '${root}dist/lib/${part}/index.js'`).join('\n')
  const bundle = await rolldown({
    input: ENTRY,
    plugins: [{
      name: ENTRY,
      resolveId: (id) => id === ENTRY ? id : null,
      load: (id) => id === ENTRY ? source : null
    }]
  })
  const { output: [{ code }] } = await bundle.generate({
    format: 'iife', name: 'Cobrowse', minify: true, banner: '/*! fastify-cobrowse, MIT license */'
  })
  mkdirSync(`${root}dist/browser`, { recursive: true })
  writeFileSync(root + OUTPUT, code)
  return `sha384-${createHash('sha384').update(code).digest('base64')}`
}

if (process.argv[1] === import.meta.filename) {
  prepare()
  const integrity = await buildForScriptTag()
  writeFileSync(root + DOCUMENT, readFileSync(root + DOCUMENT, 'utf8').replaceAll(INTEGRITY, integrity))
  console.log(integrity)
}
