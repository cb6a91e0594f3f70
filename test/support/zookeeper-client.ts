import { createZooKeeperClient } from '../../lib/registry/zookeeper-client/client.js'
import { until } from './until.js'
import type { Test } from 'tap'
import type { ZooKeeperClient, ZooKeeperClientOptions, ZooKeeperState } from '../../lib/registry/zookeeper-client/client.js'

/** Milliseconds: long enough for a busy machine, short enough to be waited for. */
export const SESSION_MS = 2000

export interface StartedClient {
  client: ZooKeeperClient
  /** All so far. */
  states: ZooKeeperState[]
}

/** A client that is closed with the test. */
export function startClient (
  t: Test, hosts: string, options: Partial<ZooKeeperClientOptions> = {}
): StartedClient {
  const client = createZooKeeperClient({ hosts, sessionTimeout: SESSION_MS, log: () => undefined, ...options })
  const states: ZooKeeperState[] = []
  client.on((state) => states.push(state))
  client.start()
  t.teardown(async () => await client.close())
  return { client, states }
}

export async function connectClient (
  t: Test, hosts: string, options?: Partial<ZooKeeperClientOptions>
): Promise<StartedClient> {
  const started = startClient(t, hosts, options)
  await until(() => /^(re)?connected$/.test(started.client.state() ?? ''), 'a connection')
  return started
}
