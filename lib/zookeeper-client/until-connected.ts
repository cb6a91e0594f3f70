import { untilOver } from '../common/deadline.js'
import type { Ending } from '../common/deadline.js'
import type { ZooKeeperClient } from './client.js'

type Listened = Pick<ZooKeeperClient, 'state' | 'on'>

const isConnected = (client: Listened) => ['connected', 'reconnected'].includes(client.state() ?? '')

/** @throws the reason of `ending` */
export async function untilConnected (client: Listened, ending: Ending): Promise<void> {
  if (isConnected(client)) return
  let unsubscribe = () => {}
  const connected = new Promise<void>((resolve) => {
    unsubscribe = client.on(() => { if (isConnected(client)) resolve() })
  })
  try {
    await untilOver(connected, ending)
  } finally {
    unsubscribe()
  }
}
