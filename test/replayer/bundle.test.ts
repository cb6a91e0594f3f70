import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { promisify } from 'node:util'
import t from 'tap'
import { say, page as pageOf } from '../demo/hostile-page.js'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { ROOT } from '../support/doc-blocks.js'
import { eventually } from '../support/until.js'
import { serve } from './viewer-page.js'
import type { Test } from 'tap'

t.teardown(closeChromium)

const MAIN = `
import { createReplayer } from 'fastify-cobrowse/replayer'
import { Replayer } from 'rrweb'
import 'rrweb/dist/style.css'
const listeners = []
const connection = {
  on (event, listener) {
    if (event === 'message') listeners.push(listener)
    return () => {}
  },
  send: () => true
}
const replayer = createReplayer({ root: document.querySelector('#root'), connection, Replayer })
window.problems = []
replayer.on('policy', (problem) => problems.push(problem))
window.emit = (message) => { for (const listener of listeners) listener(message) }
`
const ALONE = 'export { createReplayer } from \'fastify-cobrowse/replayer\''
/** As docs/browser.md says, with room for small changes. */
const MOST_BYTES = 9.5 * 1024

/** Builds a folder inside of this project, in which the package finds itself by name. */
async function build (t: Test, files: Record<string, string>, ...args: string[]): Promise<string> {
  const folder = `${ROOT}.tap/replayer-bundle-${Object.keys(files).length}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text)
  const { NODE_OPTIONS, ...env } = process.env
  await promisify(execFile)(process.execPath, [`${ROOT}node_modules/vite/bin/vite.js`, 'build', ...args], { cwd: folder, env })
  return `${folder}/dist`
}

t.test('a page – bundled with the replayer and rrweb – shows a picture', { skip: withoutChromium }, async (t) => {
  const html = '<!doctype html><html lang="en"><head><title>agent</title><link rel="icon" href="data:,"></head>' +
    '<body><div id="root" style="height: 500px"></div><script type="module" src="/main.js"></script></body></html>'
  const dist = await build(t, { 'index.html': html, 'main.js': MAIN })
  const assets = readdirSync(`${dist}/assets`).map((name) => [`/assets/${name}`, {
    type: name.endsWith('.css') ? 'text/css' : 'text/javascript', body: readFileSync(`${dist}/assets/${name}`, 'utf8')
  }] as const)
  const index = { type: 'text/html', body: readFileSync(`${dist}/index.html`, 'utf8') }
  // The policy of docs/browser.md that asks for the least.
  const policy = "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:"
  const base = await serve(t, { '/': index, ...Object.fromEntries(assets) }, policy)
  const { page, complaints } = await openPage(await openBrowser(t), base)
  await page.evaluate('emit(JSON.stringify({ type: "members", you: 1, recorder: 2, members: [] }))')
  for (const event of [...pageOf('x'), say('bundled')]) {
    await page.evaluate(`emit(new TextEncoder().encode(${JSON.stringify(JSON.stringify(event))}).buffer)`)
  }
  const shown = 'document.querySelector("#root iframe")?.contentDocument?.querySelector("#marker")?.textContent'
  await eventually(async () => await page.evaluate(shown), 'bundled')
  await eventually(async () => await page.evaluate('problems'), [])
  t.strictSame(complaints, [])
})

t.test('the replayer – bundled alone, minified and compressed – stays small', async (t) => {
  const config = `export default {
    build: { lib: { entry: 'entry.js', name: 'cobrowse', formats: ['iife'], fileName: 'out' } }
  }`
  const dist = await build(t, { 'entry.js': ALONE, 'vite.config.js': config, 'package.json': '{"type":"module"}' })
  const [file = ''] = readdirSync(dist)
  const bytes = gzipSync(readFileSync(`${dist}/${file}`)).length
  t.comment(`${bytes} bytes`)
  t.ok(bytes < MOST_BYTES, `${bytes} of ${MOST_BYTES} bytes`)
})
