import { openBrowser } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import { addLater, page as pageOf, say, setLater } from './hostile-page.js'
import { startRecorder } from './hostile-recorder.js'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { RunningDemo } from '../support/start-demo.js'
import type { Attack } from './attacks.js'
import type { Recorder } from './hostile-recorder.js'

export interface Fences {
  guard: boolean
  policy: boolean
  sandbox: boolean
}

export interface AgentPage {
  page: Page
  recorder: Recorder
  /** Text of the marker in the replayed page of the customer. */
  marker (): Promise<string | undefined>
  shows (marker: string): Promise<unknown>
  /** Plays an attack in every way it can arrive, and returns its effects. */
  play (attack: Attack): Promise<Outcome>
}

export interface Outcome {
  ran: boolean
  /** URLs of all responses to the page, from any server. */
  answers: string[]
  address: string
  frames: string[]
  sandbox: string | null
  marker: string | undefined
}

let rooms = 0

/** Opens an agent's page that watches a hostile recorder, with only the given fences up. */
export async function openAgentPage (t: Test, demo: RunningDemo, fences: Fences): Promise<AgentPage> {
  const room = `watched-${++rooms}`
  const context = await openBrowser(t, { bypassCSP: !fences.policy })
  const page = await context.newPage()
  await takeDown(page, fences)
  let answers: string[] = []
  let dialogs = 0
  page.on('response', (response) => { if (!response.url().startsWith('data:')) answers.push(response.url()) })
  page.on('dialog', (dialog) => {
    dialogs++
    dialog.dismiss()
  })
  await page.goto(`${demo.base}/demo/agent?room=${room}`)
  const recorder = await startRecorder(t, demo, room)
  await until(async () => /mallory/.test(await page.textContent('#people') ?? ''), 'the recorder in the list of people')

  const marker = async () => await page.evaluate<string | undefined>(MARKER).catch(() => undefined)
  const shows = async (text: string) => await until(async () => await marker() === text, `the picture "${text}"`, 5000)

  async function play ({ name, nodes = [], events = [] }: Attack): Promise<Outcome> {
    answers = []
    recorder.send(...pageOf(name, nodes))
    await shows(name).catch(() => {})
    recorder.send(...events, addLater(nodes), ...setLater(nodes), say(`${name} later`))
    await shows(`${name} later`).catch(() => {})
    await page.evaluate(CLICK_EVERYTHING).catch(() => {})
    await page.mouse.click(640, 400)
    await elapse(60, 'time for a script started by a click')
    const seen = await page.evaluate<Pick<Outcome, 'ran' | 'sandbox' | 'marker'>>(LOOK)
    const frames = page.frames().slice(1).map((it) => it.url())
    return { ...seen, ran: seen.ran || dialogs > 0, answers, address: page.url(), frames }
  }

  return { page, recorder, marker, shows, play }
}

async function takeDown (page: Page, { guard, sandbox }: Fences): Promise<void> {
  if (!guard) {
    const body = `export const META = 4, FULL_SNAPSHOT = 2
      export const createGuard = () => ({ read: (text) => ({ event: JSON.parse(text) }) })`
    await page.route('**/guard/guard.js', async (route) => await route.fulfill({ contentType: 'text/javascript', body }))
  }
  if (!sandbox) {
    await page.route('**/rrweb.js', async (route) => {
      const response = await route.fetch()
      const body = (await response.text())
        .replace('setAttribute("sandbox", "allow-same-origin")', 'removeAttribute("sandbox")')
        .replace('function assertRebuildTargetAllowed(options) {', '$& return;')
      await route.fulfill({ response, body })
    })
  }
}

// The scripts below run in the page.

const FRAME = 'document.querySelector("iframe")'
const MARKER = `${FRAME}?.contentDocument?.querySelector("#marker")?.textContent`

const CLICK_EVERYTHING = `for (const it of ${FRAME}.contentDocument.querySelectorAll('*')) {
  it.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
}`

const LOOK = `(() => {
  const isSet = (it) => {
    try {
      return 'pwned' in it || Array.from({ length: it.length }, (_, place) => it[place]).some(isSet)
    } catch {
      return false
    }
  }
  return { ran: isSet(window), sandbox: ${FRAME}?.getAttribute('sandbox') ?? null, marker: ${MARKER} }
})()`
