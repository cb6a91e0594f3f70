import assert from 'node:assert/strict'
import { createContext } from './log.js'
import type { Adapter } from '../../../types/adapter.js'
import type { Pace } from './pace.js'
import type { Sentences } from './sentences.js'

/** An adapter that was not started. */
export interface AdapterFixture extends Pace {
  adapter: Adapter
  /** Asks the adapter something that its backend can answer. */
  use (): Promise<unknown>
}

/** Every sentence of `Adapter` in types/adapter.ts. */
export const STARTS_AND_CLOSES: Sentences<AdapterFixture> = {
  'start – the backend answers – reports "up"': async (fixture) => {
    const [context] = await startTwice(fixture)
    assert.equal(fixture.adapter.status().state, 'up')
    assert.ok(context.states.includes('up'), `the states reported were: ${context.states.join(', ')}`)
  },

  'close – another instance still uses the adapter – keeps it open': async (fixture) => {
    const [context] = await startTwice(fixture)
    await fixture.adapter.close(context)
    assert.equal(fixture.adapter.status().state, 'up')
    await fixture.patiently(async () => await fixture.use())
  },

  'close – the last instance closes – reports "closed"': async (fixture) => {
    const [first, second] = await startTwice(fixture)
    await fixture.adapter.close(first)
    await fixture.adapter.close(second)
    assert.equal(fixture.adapter.status().state, 'closed')
    assert.equal(second.states.at(-1), 'closed', 'the last state reported')
  },

  'close – everything is closed already – does nothing': async (fixture) => {
    const [first, second] = await startTwice(fixture)
    for (const context of [first, second]) await fixture.adapter.close(context)
    await fixture.adapter.close()
    await fixture.adapter.close(second)
    assert.equal(fixture.adapter.status().state, 'closed')
  }
}

/** Starts the adapter for two instances of the plugin, and waits for an answer of its backend. */
export async function startTwice ({ adapter, use, until }: AdapterFixture) {
  const contexts = [createContext(), createContext()] as const
  for (const context of contexts) adapter.start(context)
  await until('the adapter reports "up"', async () => {
    await use().catch(() => {})
    const { state } = adapter.status()
    return state === 'up' || state
  })
  return contexts
}

/** Closes an adapter, however often it was started. */
export async function closeAdapter (adapter: Adapter): Promise<void> {
  // No instance starts an adapter as often; one that never reports "closed" must not hang the tests.
  for (let count = 0; count < 10 && adapter.status().state !== 'closed'; count++) await adapter.close()
}
