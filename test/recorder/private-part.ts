import { until } from '../support/until.js'
import { snapshotsIn } from './lab.js'
import type { LabPage, Shared } from './lab.js'

/** A part of a page that must not leave it. Its texts begin with `stays`. */
export interface PrivatePart {
  /** Title of the test: subject – condition. */
  title: string
  page: LabPage
  /** Runs in the page before it is shared. */
  before?: string
  /** Options of the recorder, as an expression of the page. */
  recorder?: string
  act? (shared: Shared): Promise<void>
  /** Texts of open parts, which must be on the wire. */
  seen?: string[]
}

export const type = async ({ page }: Shared, field: string, text: string) =>
  await page.locator(field).pressSequentially(text)
export const run = async ({ page }: Shared, script: string) => { await page.evaluate(`{ ${script} }`) }
/** The page is sent again after its marks changed. */
export const runUntilSnapshot = async (shared: Shared, script: string) => {
  const count = snapshotsIn(shared.sent)
  await run(shared, script)
  await until(() => snapshotsIn(shared.sent) > count, 'a snapshot with the new marks')
}

export const FRAME = '<iframe id="frame" src="/lab/inner" width="500" height="200"></iframe>'

/** Changes everything inside of a frame. */
export async function useFrame (shared: Shared, tag: string): Promise<void> {
  const frame = shared.page.frameLocator('#frame')
  await frame.locator('#free').pressSequentially(`${tag}-typed`)
  await frame.locator('body').evaluate(`document.querySelector('#live').textContent = '${tag}-text'`)
  await frame.locator('body').evaluate(`document.body.append('${tag}-added')`)
}
