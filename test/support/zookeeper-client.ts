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

export async function connectClient (
  t: Test, hosts: string, options?: Partial<ZooKeeperClientOptions>
): Promise<StartedClient> {
  // Tests about time limits set their own.
  const started = startClient(t, hosts, { callMs: CALL_MS, ...options })
  await until(() => /^(re)?connected$/.test(started.client.state() ?? ''), 'a connection')
  return started
}
