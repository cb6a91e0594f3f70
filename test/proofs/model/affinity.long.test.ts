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
  moved: Result
  refuted: Array<{ rule: string, result: Result }>
  standing: string[]
}

const MODEL = fileURLToPath(new URL('affinity.mjs', import.meta.url))
/** A smaller number means that the model lost some of its steps. */
const FEWEST_STATES = { proposed: 500_000, moved: 400_000 }
const FEWEST_RULES = 40

t.test('the rules that keep a room on one node – each left out once – hold together, and each is needed', { timeout: 200_000 }, async (t) => {
  // A wrong result exits with 1, which rejects. The environment of tap is removed, since it would slow the child down.
  const { stdout } = await promisify(execFile)(process.execPath, [MODEL, '--json'], { env: {}, maxBuffer: 1 << 24 })
  const { refuted, standing, ...proofs }: Proof = JSON.parse(stdout)

  for (const name of ['proposed', 'moved'] as const) {
    const { found, isExhausted, states } = proofs[name]
    t.equal(found, undefined)
    t.ok(isExhausted, `${name}: every state is visited`)
    t.ok(states > FEWEST_STATES[name], `${name}: ${states} states`)
  }
  t.ok(refuted.length >= FEWEST_RULES, `${refuted.length} rules can be left out only at a price`)
  t.strictSame(standing, [], 'rules that are not needed')
  for (const { rule, result } of refuted) {
    const { property, text, path } = result.found ?? { path: [] }
    t.ok(path.length > 0, `without ${rule}, ${property} fails after ${path.length} steps: ${text}`)
  }
})
