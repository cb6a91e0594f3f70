import assert from 'node:assert/strict'
import { addressFault, withNodePath } from '../../common/address.js'
import { closeAdapter, STARTS_AND_CLOSES, startTwice } from './adapter.js'
import { show } from './broken.js'
import { createContext } from './log.js'
import { readOptions } from './options.js'
import { createPace } from './pace.js'
import { registerSentences } from './sentences.js'
import type { ContractOptions, MakeProvision } from '../../../types/contracts.js'
import type { NodeRef } from '../../../types/registry.js'
import type { Provision } from '../../../types/provision.js'
import type { Session } from '../../../types/sessions.js'
import type { AdapterFixture } from './adapter.js'
import type { Sentences } from './sentences.js'

interface ProvisionFixture extends AdapterFixture {
  provision: Provision
  ask (node: NodeRef): Promise<string | null>
}

const SESSION: Session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
const NODE: NodeRef = { id: 'n1', incarnation: 'i1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' }
const OTHER: NodeRef = { id: 'n2', incarnation: 'i2', wssUrl: 'wss://10.1.2.4:8443/ws/cobrowse/2' }

const ASKING: Sentences<ProvisionFixture> = {
  'externalUrl – a node – resolves to an address that browsers can open, or to null': async ({ ask }) => {
    assertUsable(await ask(NODE), NODE)
  },

  'externalUrl – several nodes at once – resolves to an address for each': async ({ ask }) => {
    const nodes = [NODE, OTHER, NODE, OTHER]
    const answers = await Promise.all(nodes.map(ask))
    for (const [at, node] of nodes.entries()) assertUsable(answers[at], node)
  },

  'externalUrl – a signal that has aborted – settles in time': async ({ provision, inTime }) => {
    await inTime(async () => await askInVain(provision))
  },

  'externalUrl – another caller has gone – resolves to an address': async ({ provision, ask }) => {
    askInVain(provision).catch(() => {})
    assertUsable(await ask(NODE), NODE)
  },

  'prefetch – an open adapter – returns at once': async ({ provision }) => {
    assert.equal(provision.prefetch?.(SESSION), undefined)
  }
}

const REOPENING: Sentences<ProvisionFixture> = {
  'prefetch – a closed adapter – returns at once': async (fixture) => {
    const contexts = await startTwice(fixture)
    for (const context of contexts) await fixture.provision.close(context)
    assert.equal(fixture.provision.prefetch?.(SESSION), undefined)
  },

  'start – after the last close – opens the adapter again': async (fixture) => {
    const { provision, ask } = fixture
    const contexts = await startTwice(fixture)
    for (const context of contexts) await provision.close(context)
    provision.start(createContext())
    assertUsable(await ask(NODE), NODE)
    assert.equal(provision.status().state, 'up')
  }
}

/** Runs every sentence of `Provision` in a runner. */
export async function provisionContract (options: ContractOptions, make: MakeProvision): Promise<void> {
  const { test, patience } = readOptions('provisionContract', options)
  const pace = createPace(patience)

  async function prepare () {
    const { provision, close } = await make()
    const ask = async (node: NodeRef) => await pace.patiently(
      async () => await provision.externalUrl(node, SESSION, AbortSignal.timeout(patience)))
    return {
      fixture: { ...pace, provision, ask, adapter: provision, use: async () => await ask(NODE) },
      async close () {
        await pace.inTime(async () => await closeAdapter(provision))
        await close?.()
      }
    }
  }
  async function prepareStarted () {
    const prepared = await prepare()
    prepared.fixture.provision.start(createContext())
    return prepared
  }
  await Promise.all([
    registerSentences(test, ASKING, prepareStarted),
    registerSentences(test, { ...STARTS_AND_CLOSES, ...REOPENING }, prepare)
  ])
}

/** Asks for a caller that went away; any outcome is accepted. */
async function askInVain (provision: Provision): Promise<void> {
  await provision.externalUrl(NODE, SESSION, AbortSignal.abort(new Error('gone'))).catch(() => {})
}

function assertUsable (answer: unknown, node: NodeRef): void {
  if (answer === null) return
  assert.equal(typeof answer, 'string', 'the answer')
  const fault = addressFault(withNodePath(String(answer), node.wssUrl))
  assert.equal(fault, undefined, show(answer))
}
