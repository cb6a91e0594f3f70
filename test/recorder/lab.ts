import { readFileSync } from 'node:fs'
import { openBrowser, openPage } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { startSite } from '../client/start-site.js'
import type { BrowserContext, Frame, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Client, Site } from '../client/start-site.js'

const PARTS: Record<string, URL> = {
  client: new URL('../../dist/lib/client/', import.meta.url),
  recorder: new URL('../../dist/lib/recorder/', import.meta.url),
  rrweb: new URL('../../node_modules/rrweb/dist/', import.meta.url)
}

// The secret fields are watched from the load of the page on, as on a real page.
const SHARE = `
import '/part/recorder/index.js'
const importPart = async (path) => await import('/part/' + path)
window.load = async () => ({
  ...await importPart('recorder/index.js'),
  ...await importPart('client/index.js'),
  ...await importPart('rrweb/rrweb.js')
})
window.shareNow = async (entry, options) => {
  const { connect, createIndicator, record, startRecorder } = await load()
  window.connection = connect(entry)
  window.recorder = startRecorder({ connection, record, ...options })
  window.told = []
  for (const name of ['state', 'watchers', 'standby', 'note']) {
    recorder.on(name, (it) => told.push(name + ' ' + JSON.stringify(it)))
  }
}
window.isReady = true
`

export interface LabPage {
  head?: string
  body: string
  /** Script of the page. */
  script?: string
}

export interface Shared {
  page: Page
  context: BrowserContext
  room: string
  /** Messages that the page sent: each of them, as it was on the wire. */
  sent: string[]
  /** Errors of the page. */
  complaints: string[]
  viewer: Client
  /** Events of the recorder, such as `state "watched"`. */
  told (): Promise<string[]>
  wire (): string
  /** Types into the open field of the page, and waits until that is on the wire: all earlier changes are, too. */
  mark (text: string): Promise<void>
  /** Lets another viewer in, and waits for its snapshot. */
  join (): Promise<Client>
  frame (): Promise<Frame>
}

export interface Lab {
  site: Site
  base: string
  /** Options of `connect` in a page, as JSON. */
  entryTo (room: string): string
  open (t: Test, name: string, options?: OpenOptions): Promise<Shared>
}

export interface OpenOptions {
  /** Runs in the page before it is shared. */
  before?: string
  /** Options of the recorder, as an expression of the page. */
  recorder?: string
  context?: BrowserContext
  /** Whether a viewer comes. */
  isWatched?: boolean
}

/** The first part of one counts. */
export const snapshotsIn = (sent: string[]) => sent.filter((text) => /^<?\{"type":2,/.test(text)).length

/** Serves pages that can be shared, with a gateway and a node, from one origin. */
export async function startLab (t: Test, pages: Record<string, LabPage | string>, policy?: string): Promise<Lab> {
  const site = await startSite(t, {
    before (app) {
      app.get<{ Params: { name: string } }>('/lab/:name', async (request, reply) => {
        if (policy !== undefined) reply.header('content-security-policy', policy)
        const page = pages[request.params.name]
        if (page === undefined) return await reply.code(404).send('no such page')
        const type = request.params.name.endsWith('.css') ? 'text/css' : 'text/html'
        return await reply.type(`${type}; charset=utf-8`).send(typeof page === 'string' ? page : toHtml(page))
      })
      app.get('/lab/share.js', async (_, reply) => await reply.type('text/javascript').send(SHARE))
      app.get<{ Params: { part: string, name: string } }>('/part/:part/:name', async ({ params }, reply) =>
        await reply.type('text/javascript').header('cache-control', 'max-age=3600')
          .send(readFileSync(new URL(params.name, PARTS[params.part]))))
    }
  })
  let rooms = 0

  function entryTo (room: string): string {
    const token = site.tokenOf('u')
    return JSON.stringify({ token, roomId: room, userId: 'u', userName: 'Li Na', role: 'recorder', address: 'wssUrl' })
  }

  async function open (t: Test, name: string, options: OpenOptions = {}): Promise<Shared> {
    const room = `r${++rooms}`
    const context = options.context ?? await openBrowser(t)
    const { page, sent, complaints } = await openPage(context, `${site.base}/lab/${name}`)
    await eventually(async () => await page.evaluate('window.isReady'), true)
    if (options.before !== undefined) await page.evaluate(options.before)
    const viewer = site.connect({ roomId: room, userId: 'agent', userName: 'Anna', role: 'replayer' })
    if (options.isWatched === false) viewer.connection.close()
    else await until(() => viewer.messages.length > 0, 'the viewer to be inside')
    await page.evaluate(`shareNow(${entryTo(room)}, ${options.recorder ?? '{}'})`)
    if (options.isWatched !== false) await until(() => snapshotsIn(sent) > 0, 'a snapshot')
    const wire = () => sent.join('\n')
    return {
      page,
      context,
      room,
      sent,
      complaints,
      viewer,
      wire,
      told: async () => await page.evaluate('told'),
      async mark (text) {
        await page.fill('#open', text)
        await until(() => wire().includes(text), `${text} on the wire`)
      },
      async join () {
        const count = snapshotsIn(sent)
        const late = site.connect({ roomId: room, userId: 'late', userName: 'Ben', role: 'replayer' })
        await until(() => snapshotsIn(sent) > count, 'a snapshot for the late viewer')
        return late
      },
      async frame () {
        await until(() => page.frames().length > 1, 'a frame')
        return page.frames()[1] ?? page.mainFrame()
      }
    }
  }

  return { site, base: site.base, entryTo, open }
}

export function toHtml ({ head = '', body, script = '' }: LabPage): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>lab</title><link rel="icon" href="data:,">
${head}<script type="module" src="/lab/share.js"></script></head>
<body>${body}<input id="open"><script>${script}</script></body></html>`
}
