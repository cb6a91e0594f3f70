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
/** A smaller number means that the model lost some of its steps. */
const FEWEST_STATES = 500_000
const FEWEST_RULES = 20

t.test('the rules that keep a room on one node – each left out once – hold together, and each is needed', { timeout: 120_000 }, async (t) => {
  // A wrong result exits with 1, which rejects. The environment of tap is removed, since it would slow the child down.
  const { stdout } = await promisify(execFile)(process.execPath, [MODEL, '--json'], { env: {}, maxBuffer: 1 << 24 })
  const { proposed, refuted, standing }: Proof = JSON.parse(stdout)

  t.equal(proposed.found, undefined)
  t.ok(proposed.isExhausted, 'every state is visited')
  t.ok(proposed.states > FEWEST_STATES, `${proposed.states} states`)
  t.ok(refuted.length >= FEWEST_RULES, `${refuted.length} rules can be left out only at a price`)
  t.strictSame(standing, [], 'rules that are not needed')
  for (const { rule, result } of refuted) {
    const { property, text, path } = result.found ?? { path: [] }
    t.ok(path.length > 0, `without ${rule}, ${property} fails after ${path.length} steps: ${text}`)
  }
})
