import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildForScriptTag } from '../../.ci/script-tag.mjs'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { ROOT } from '../support/doc-blocks.js'
import type { AddressInfo } from 'node:net'

t.teardown(closeChromium)

const NAMES = ['CobrowseError', 'connect', 'createIndicator', 'createReplayer', 'startRecorder']
/** As docs/browser.md says, with room for small changes. */
const MOST_BYTES = 22 * 1024

t.test('the file for a script tag – its hash in the document – is that of the build', async (t) => {
  const shown = readFileSync(`${ROOT}docs/browser.md`, 'utf8').match(/sha384-[\w+/=]+/g)
  t.strictSame(shown, [await buildForScriptTag()], 'node .ci/script-tag.mjs')
})

t.test('the file for a script tag – loaded with its hash – offers all parts, and is small', {
  skip: withoutChromium
}, async (t) => {
  const integrity = await buildForScriptTag()
  const script = readFileSync(`${ROOT}dist/browser/cobrowse.js`)
  t.ok(gzipSync(script).length < MOST_BYTES, `${gzipSync(script).length} bytes`)
  const html = '<!doctype html><link rel="icon" href="data:,">' +
    `<script src="/cobrowse.js" integrity="${integrity}"></script>`
  const server = createServer(({ url }, response) => {
    const isScript = url === '/cobrowse.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : html)
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const { page, complaints } = await openPage(await openBrowser(t), url)
  t.strictSame(await page.evaluate('Object.keys(Cobrowse).sort()'), NAMES)
  t.strictSame(complaints, [])
})
