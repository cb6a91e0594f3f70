import { systemClock } from '../../lib/common/clock.js'
import { createZooKeeperClient } from '../../lib/zookeeper-client/client.js'
import { until } from './until.js'
import type { Test } from 'tap'
import type { MortalClient, ZooKeeperClientOptions, ZooKeeperState } from '../../lib/zookeeper-client/client.js'

/** Milliseconds: long enough for a busy machine, short enough to be awaited. */
export const SESSION_MS = 2000

export interface StartedClient {
  client: MortalClient
  /** States so far. */
  states: ZooKeeperState[]
}

const CALL_MS = 10_000

/** Starts a client that is closed with the test. */
export function startClient (
  t: Test, hosts: string, options: Partial<ZooKeeperClientOptions> = {}
): StartedClient {
  const client = createZooKeeperClient({
    hosts, sessionTimeout: SESSION_MS, log: () => undefined, clock: systemClock, ...options
  })
  const states: ZooKeeperState[] = []
  client.on((state) => states.push(state))
  client.start()
  t.teardown(async () => await client.close())
  return { client, states }
}

/** Sets generous request timeouts for busy machines; tests about timeouts set their own. */
function patient (client: MortalClient): MortalClient {
  return {
    ...client,
    get: async (path, options) => await client.get(path, { ms: CALL_MS, ...options }),
    exists: async (path, options) => await client.exists(path, { ms: CALL_MS, ...options }),
    children: async (path, options) => await client.children(path, { ms: CALL_MS, ...options }),
    multi: async (ops, options) => await client.multi(ops, { ms: CALL_MS, ...options }),
    create: async (path, data, options) => await client.create(path, data, { ms: CALL_MS, ...options }),
    remove: async (path, options) => await client.remove(path, { ms: CALL_MS, ...options })
  }
}

export async function connectClient (
  t: Test, hosts: string, options?: Partial<ZooKeeperClientOptions>
): Promise<StartedClient> {
  const started = startClient(t, hosts, options)
  await until(() => /^(re)?connected$/.test(started.client.state() ?? ''), 'a connection')
  return { ...started, client: patient(started.client) }
}
