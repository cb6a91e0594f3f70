import { untilOver } from '../common/deadline.js'
import type { ZooKeeperClient } from './client.js'

type Listened = Pick<ZooKeeperClient, 'state' | 'on'>

const isConnected = (client: Listened) => ['connected', 'reconnected'].includes(client.state() ?? '')

/** @throws the signal's reason */
export async function untilConnected (client: Listened, signal: AbortSignal): Promise<void> {
  if (isConnected(client)) return
  let unsubscribe = () => {}
  const connected = new Promise<void>((resolve) => {
    unsubscribe = client.on(() => { if (isConnected(client)) resolve() })
  })
  try {
    await untilOver(connected, signal)
  } finally {
    unsubscribe()
  }
}
