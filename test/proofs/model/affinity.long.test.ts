import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

interface Result {
  found?: { property: string, text: string, path: string[] }
  states: number
  isExhausted: boolean
}

interface Proof {
  proposed: Result
  refuted: Array<{ rule: string, result: Result }>
  standing: string[]
}

const MODEL = fileURLToPath(new URL('affinity.mjs', import.meta.url))
/** Fewer would mean that the model lost some of its steps. */
const FEWEST_STATES = 500_000
const FEWEST_RULES = 20

t.test('the rules that keep a room on one node hold, and each of them is needed', { timeout: 120_000 }, async (t) => {
  // It exits with 1 when anything is not as it should be, which rejects. In tap's environment it would be slow.
  const { stdout } = await promisify(execFile)(process.execPath, [MODEL, '--json'], { env: {}, maxBuffer: 1 << 24 })
  const { proposed, refuted, standing }: Proof = JSON.parse(stdout)

  t.equal(proposed.found, undefined)
  t.ok(proposed.isExhausted, 'every state was looked at')
  t.ok(proposed.states > FEWEST_STATES, `${proposed.states} states`)
  t.ok(refuted.length >= FEWEST_RULES, `${refuted.length} rules can be left out only at a price`)
  t.strictSame(standing, [], 'rules that could be left out')
  for (const { rule, result } of refuted) {
    const { property, text, path } = result.found ?? { path: [] }
    t.ok(path.length > 0, `without ${rule}, ${property} fails after ${path.length} steps: ${text}`)
  }
})
