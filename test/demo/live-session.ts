import { openBrowser, openPage } from '../support/chromium.js'
import { until } from '../support/until.js'
import type { FrameLocator, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Watched } from '../support/chromium.js'

export interface LiveSession {
  customer: Watched
  agent: Watched
  topology: Watched
  /** The customer's page as the agent sees it. */
  replayed: FrameLocator
  /** Types into a field of the customer, and waits until the agent sees it. @returns milliseconds */
  type (field: string, text: string): Promise<number>
  /**
   * Presses a button of the node that holds the room, and waits until both sides are on another node and the agent sees
   * text typed there by the customer.
   */
  moveBy (action: 'stop' | 'drain'): Promise<{ left: string, ms: number }>
  /** Errors of the pages; connections rejected by a stopped node are among them, as the browser reports them. */
  complaints (): string[]
}

/** Opens a customer who shares a page, an agent who watches it, and the topology, from one process or two. */
export async function startLiveSession (t: Test, bases: { customer: string, agent: string }): Promise<LiveSession> {
  const context = await openBrowser(t)
  const open = async (base: string, name: string) => await openPage(context, `${base}/demo/${name}?room=live`)
  const topology = await open(bases.agent, 'topology')
  const customer = await open(bases.customer, 'customer')
  const agent = await open(bases.agent, 'agent')
  await share(customer.page)
  const replayed = agent.page.frameLocator('#replay iframe')
  await replayed.locator('#name').waitFor()

  const room = topology.page.locator('.node', { has: topology.page.locator('[data-room=live]') })

  async function holder (): Promise<string> {
    await until(async () => await room.locator('[data-room=live] .who > *').count() === 2, 'both sides in one room')
    return String(await room.getAttribute('data-node'))
  }

  async function type (field: string, text: string): Promise<number> {
    const startedAt = performance.now()
    await customer.page.fill(`#${field}`, text)
    await until(async () => await valueOf(replayed, field) === text, `the text ${text} on the agent's page`)
    return performance.now() - startedAt
  }

  return {
    customer,
    agent,
    topology,
    replayed,
    type,
    async moveBy (action) {
      const left = await holder()
      const startedAt = performance.now()
      await room.locator(`[data-action=${action}]`).click()
      await until(async () => await holder() !== left, 'another node')
      await type('name', `after ${action}`)
      return { left, ms: performance.now() - startedAt }
    },
    complaints: () => [customer, agent, topology].flatMap(({ complaints }) => complaints)
      .filter((text) => !/WebSocket connection to .* failed/.test(text))
  }
}

export async function share (page: Page): Promise<void> {
  await page.click('#share')
  await page.click('#agree')
}

/** Undefined if the field is missing, since each snapshot rebuilds the frame. */
export async function valueOf (frame: FrameLocator, field: string): Promise<string | undefined> {
  return await frame.locator(`#${field}`).inputValue({ timeout: 200 }).catch(() => undefined)
}
