import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { openBrowser, openPage } from '../support/chromium.js'
import { eventually } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'

const LIB = new URL('../../dist/lib/', import.meta.url)
const RRWEB = new URL('.', import.meta.resolve('rrweb'))

/** The policy of docs/browser.md for the page of a viewer. */
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; " +
  "font-src data:; connect-src 'self' wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
export const META_POLICY = '<meta http-equiv="content-security-policy" content="style-src \'unsafe-inline\'">'

const VIEWER = `
import { createReplayer } from '/replayer/index.js'
import { Replayer } from '/rrweb/rrweb.js'
const listeners = { message: new Set(), open: new Set(), close: new Set() }
const emit = (event, detail) => { for (const listener of [...listeners[event]]) listener(detail) }
const connection = {
  state: 'opening',
  on (event, listener) {
    listeners[event].add(listener)
    return () => listeners[event].delete(listener)
  },
  send: (text) => sent.push(text) > 0
}
Object.assign(window, {
  sent: [],
  told: [],
  connection,
  Replayer,
  emit,
  tell: (message) => emit('message', JSON.stringify(message)),
  pass: (text) => emit('message', new TextEncoder().encode(text).buffer),
  listening: () => Object.values(listeners).reduce((sum, { size }) => sum + size, 0),
  start (options) {
    window.replayer = createReplayer({ root: document.querySelector('#root'), connection, Replayer, ...options })
    for (const event of ['state', 'members', 'picture', 'note', 'refused', 'policy']) {
      replayer.on(event, (detail) => told.push([event, detail]))
    }
  }
})
`
const RECORDER = `
import { record } from '/rrweb/rrweb.js'
window.events = []
window.share = () => record({ emit: (event) => events.push(JSON.stringify(event)), inlineStylesheet: true })
`

interface Served {
  type: string
  body: string
}
type Files = Record<string, Served>

const html = (body: string): Served => ({ type: 'text/html; charset=utf-8', body })
const script = (body: string): Served => ({ type: 'text/javascript', body })

function read (path: string, files: Files): Served | undefined {
  const [, folder, name = ''] = /^\/(client|replayer|rrweb)\/([\w/-]+\.js)$/.exec(path) ?? []
  if (folder === undefined) return files[path]
  return script(readFileSync(folder === 'rrweb' ? new URL(name, RRWEB) : new URL(`${folder}/${name}`, LIB), 'utf8'))
}

/** Serves the published files of the replayer, rrweb, and these files; all with this policy. */
export async function serve (t: Test, files: Files, policy: string): Promise<string> {
  const server = createServer((request, response) => {
    const file = read(new URL(request.url ?? '', 'http://x').pathname, files)
    if (file === undefined) {
      response.writeHead(404).end()
      return
    }
    if (policy !== '') response.setHeader('content-security-policy', policy)
    response.setHeader('content-type', file.type).end(file.body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface ViewerOptions {
  policy?: string
  meta?: string
  context?: BrowserContext
  /** Options of createReplayer, as a JavaScript expression. */
  options?: string
}

export interface Viewer {
  page: Page
  complaints: string[]
  /** Details of the events of one kind so far. */
  told (event: string): Promise<unknown[]>
  /** Texts sent to the recorder. */
  sent (): Promise<string[]>
  /** The node tells who is in the room. */
  members (recorder: number | null): Promise<void>
  /** The recorder sends messages: events, or texts as they are. */
  pass (...messages: Array<object | string>): Promise<void>
  /** Evaluates an expression of the picture's document `d` and window `w`. */
  inFrame (expression: string): Promise<unknown>
  shows (marker: string): Promise<void>
}

/** Opens a page with a replayer, whose connection the test plays. */
export async function openViewer (
  t: Test, { policy = POLICY, meta = META_POLICY, context, options = '{}' }: ViewerOptions = {}
): Promise<Viewer> {
  const body = `<!doctype html><html lang="en"><head><title>viewer</title><link rel="icon" href="data:,">
    <style>#root { width: 800px; height: 600px }</style>${meta}<script type="module" src="/viewer.js"></script></head>
    <body><input id="typing"><div id="root"></div></body></html>`
  const base = await serve(t, { '/': html(body), '/viewer.js': script(VIEWER) }, policy)
  const { page, complaints } = await openPage(context ?? await openBrowser(t), base)
  await page.waitForFunction('window.start !== undefined')
  // Code that a debugger evaluates may call eval in spite of the policy.
  await page.evaluate(`{ setTimeout(() => start(${options})) }`)
  await page.waitForFunction('window.replayer !== undefined')
  const told = async (event: string) =>
    (await page.evaluate<Array<[string, unknown]>>('told')).filter(([name]) => name === event).map(([, detail]) => detail)
  const inFrame = async (expression: string) => await page.evaluate(`(() => {
    const d = document.querySelector('#root iframe')?.contentDocument
    const w = d?.defaultView
    return ${expression}
  })()`)
  return {
    page,
    complaints,
    told,
    inFrame,
    sent: async () => await page.evaluate<string[]>('sent'),
    async members (recorder) {
      const members = [{ id: 1, user: 'a', name: 'Anna', role: 'replayer' }]
      if (recorder !== null) members.push({ id: recorder, user: 'c', name: 'Li Na', role: 'recorder' })
      await page.evaluate(`tell(${JSON.stringify({ type: 'members', you: 1, recorder, members })})`)
    },
    async pass (...messages) {
      const texts = messages.map((it) => typeof it === 'string' ? it : JSON.stringify(it))
      await page.evaluate(`{ for (const text of ${JSON.stringify(texts)}) pass(text) }`)
    },
    async shows (marker) {
      await eventually(async () => await inFrame('d?.querySelector("#marker")?.textContent'), marker, `the picture ${marker}`)
    }
  }
}

/** Opens a page that rrweb records. */
export async function openRecorded (t: Test, context: BrowserContext, head: string, body: string, files: Files = {}) {
  const page = html(`<!doctype html><html lang="en"><head><title>recorded</title><link rel="icon" href="data:,">${head}
    <script type="module" src="/recorder.js"></script></head><body>${body}</body></html>`)
  const base = await serve(t, { '/': page, '/recorder.js': script(RECORDER), ...files }, '')
  const opened = await openPage(context, base)
  await opened.page.waitForFunction('window.share !== undefined')
  return opened.page
}
