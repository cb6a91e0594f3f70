import t from 'tap'
import { CobrowseError } from '../../lib/client/cobrowse-error.js'
import { createRetryRules } from '../../lib/client/retry-rules.js'
import fc from '../support/fast-check.js'
import type { CobrowseErrorCode } from '../../types/client.js'

const WAITS = { minWait: 250, maxWait: 10_000 }
const codes: CobrowseErrorCode[] = [
  4401, 4403, 4408, 4410, 4429, 4503, '40001', '40101', '40102', '40301', '40302', '40801', '41301', '41501', '42901',
  '50001', '50301', '50302', '50303', '50304', '50305', '50306', '50307', '50308', 'unreachable', 'bad-answer', 'unopened', 'lost'
]

function toError (code: CobrowseErrorCode, details: ConstructorParameters<typeof CobrowseError>[2] = {}) {
  const status = /^\d{5}$/.test(String(code)) ? Number(String(code).slice(0, 3)) : undefined
  return new CobrowseError(code, '', { status, ...details })
}

interface Change { random? (): number, openFor?: number, canRenew?: boolean }

/** Collects the waits after the same error again and again; `random` 0 gives the shortest that jitter allows. */
function waitsAfter (code: CobrowseErrorCode, times: number, change: Change = {}) {
  const { random = () => 1, openFor = 0, canRenew = false } = change
  const rules = createRetryRules({ ...WAITS, canRenew, random })
  return Array.from({ length: times }, () => rules.next(toError(code), openFor, false))
}

t.test('waits – error repeated – grow to their maximum, and are jittered by half', async (t) => {
  for (const code of ['unreachable', 'lost', 'unopened', 4429, 4503, '50305', '50001', '40801', '42901'] as const) {
    t.strictSame(waitsAfter(code, 8), [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000], String(code))
    t.strictSame(waitsAfter(code, 3, { random: () => 0 }), [125, 250, 500])
  }
})

t.test('a final error – asking again cannot help – stops the client', async (t) => {
  for (const code of ['40001', '40301', '40302', '41301', '41501', '40101', '40102', 4403] as const) {
    t.strictSame(waitsAfter(code, 1), [undefined], String(code))
  }
  const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 1 })
  t.equal(rules.next(toError('bad-answer', { status: 502 }), 0, false), 250, 'a load balancer without its gateway')
  t.equal(rules.next(toError('bad-answer', { status: 200 }), 0, false), 500)
})

t.test('a foreign 4xx – as the first answer – stops the client', async (t) => {
  for (const status of [400, 401, 403, 404, 405, 410]) {
    const rules = createRetryRules({ ...WAITS, canRenew: true, random: () => 1 })
    t.equal(rules.next(toError('unreachable'), 0, false), 250, 'no answer at all')
    t.equal(rules.next(toError('bad-answer', { status }), 0, false), undefined, String(status))
  }
})

t.test('a foreign 4xx – after another answer – stops the client when it comes ten times in a row', async (t) => {
  for (const [before, openFor] of [['lost', 60_000], ['lost', 10], ['50303', 0], [4410, 0]] as const) {
    const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 0 })
    const next = (code: CobrowseErrorCode, status?: number) => rules.next(toError(code, { status }), 0, false)
    rules.next(toError(before), openFor, false)
    const waits = Array.from({ length: 9 }, (_, at) => next('bad-answer', at % 2 === 0 ? 404 : 403))
    t.ok(waits.every((wait) => Number(wait) >= 125), String(before))
    t.ok(waits.reduce<number>((sum, wait) => sum + Number(wait), 0) > 10_000, 'a deployment takes some seconds')
    t.ok(next('unreachable'), 'no answer at all, which changes nothing')
    t.equal(next('bad-answer', 404), undefined, String(before))
  }
})

t.test('a foreign 4xx – another answer in between – counts from the start again', async (t) => {
  const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 1 })
  rules.next(toError('lost'), 0, false)
  for (let count = 0; count < 40; count++) {
    t.ok(rules.next(count % 8 === 7 ? toError('50303') : toError('bad-answer', { status: 404 }), 0, false))
  }
})

t.test('a foreign 4xx – with Retry-After – is retried after that time', async (t) => {
  const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 0 })
  rules.next(toError('lost'), 60_000, false)
  t.equal(rules.next(toError('bad-answer', { status: 403, retryAfter: 3000 }), 0, false), 3250)
})

t.test('codes 4401 and 4408, and 401 if a new token is available – are retried once', async (t) => {
  t.strictSame(waitsAfter(4401, 2), [0, undefined])
  t.strictSame(waitsAfter(4408, 2), [0, undefined])
  t.strictSame(waitsAfter('40102', 2, { canRenew: true }), [0, undefined])
  t.strictSame(waitsAfter(4401, 3, { openFor: 5000 }), [0, 0, 0], 'a good connection resets the count')
})

t.test('code 4410 – repeated – is followed at once, but not in a circle', async (t) => {
  t.strictSame(waitsAfter(4410, 4), [0, 250, 500, 1000])
  t.strictSame(waitsAfter(4410, 4, { openFor: 2000 }), [0, 0, 0, 0])
})

t.test('a node that drains – spreads the return of its clients, and Retry-After is never cut short', async (t) => {
  const returns = (random: number) => createRetryRules({ ...WAITS, canRenew: false, random: () => random })
    .next(toError(4410, { returnWithin: 2000 }), 60_000, false)
  t.strictSame([0, 0.5, 1].map(returns), [0, 1000, 2000])
  const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 0 })
  t.equal(rules.next(toError('50303', { retryAfter: 3000 }), 0, false), 3125)
})

t.test('the other address of a node – is tried without a wait', async (t) => {
  const rules = createRetryRules({ ...WAITS, canRenew: false, random: () => 1 })
  t.equal(rules.next(toError('unopened'), 0, true), 0)
  t.equal(rules.next(toError('unopened'), 0, false), 250)
})

t.test('a client – any sequence of errors – neither spins nor exceeds its maximum wait', async (t) => {
  const attempt = fc.record({
    code: fc.constantFrom(...codes), openFor: fc.constantFrom(0, 10, 999, 1000, 60_000), hasOther: fc.constant(false)
  })
  fc.assert(fc.property(fc.array(attempt, { maxLength: 60 }), fc.boolean(), (attempts, canRenew) => {
    const rules = createRetryRules({ ...WAITS, canRenew })
    let free = 0
    for (const { code, openFor, hasOther } of attempts) {
      if (openFor >= 1000) free = 0
      const wait = rules.next(toError(code), openFor, hasOther)
      if (wait === undefined) return true
      if (wait === 0) free++
      if (!(wait === 0 || (wait >= 125 && wait <= 10_000)) || free > 2) return false
    }
    return true
  }))
})
