// Contains the hooks of typescript.mjs. Blanks replace types, so that lines and columns stay, and no test has to load
// source maps. Types are checked by `npm run typecheck`.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/typescript/', import.meta.url))
const { version } = require('ts-blank-space/package.json')

/** Packages of hundreds of modules, each of which would make two trips to the thread of the hooks. */
const AS_COMMONJS = ['tap', '@sinclair/typebox', '@sinclair/typebox/value']

/** Examples import the package by its name: in a test it is the sources, in a process of its own it is `dist`. */
const OWN_NAME = /^fastify-cobrowse(?<entry>\/\w+)?$/

mkdirSync(FOLDER, { recursive: true })

/** Resolves the name of a compiled file: `./x.js` is `./x.ts` if only that file exists. */
export function resolve (specifier, context, next) {
  const own = OWN_NAME.exec(specifier)
  if (own !== null) return next(new URL(`../../lib${own.groups.entry ?? ''}/index.ts`, import.meta.url).href, context)
  if (/^\.{0,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL)
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true }
  }
  if (!AS_COMMONJS.includes(specifier)) return next(specifier, context)
  return next(specifier, { ...context, conditions: ['require', ...context.conditions.filter((name) => name !== 'import')] })
}

export async function load (url, context, next) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return next(url, context)
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true }
}

async function compiled (path) {
  const text = readFileSync(path, 'utf8')
  const key = createHash('sha256').update(JSON.stringify([version, text])).digest('hex')
  const kept = `${FOLDER}${key}.js`
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const { default: blank } = await import('ts-blank-space')
  const outputText = blank(text, (node) => { throw new SyntaxError(`${path}: is not erasable: ${node.getText()}`) })
  // Another process may read the file at any time; the rename shows it complete files only.
  const half = `${kept}.${process.pid}`
  writeFileSync(half, outputText)
  renameSync(half, kept)
  return outputText
}
