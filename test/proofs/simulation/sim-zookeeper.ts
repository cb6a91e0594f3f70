import { createSimClient } from './sim-client.js'
import { Ensemble } from './sim-ensemble.js'
import { Network } from './sim-network.js'
import type { Clock } from '../../../lib/common/clock.js'
import type { ZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import type { Host, Store } from './fixture.js'

/** ZooKeeper ensemble with the network to it. */
export class SimZooKeeper implements Store {
  readonly ensemble: Ensemble
  readonly network: Network

  constructor (clock: Clock) {
    this.ensemble = new Ensemble(clock, {
      applied: (...change) => this.network.tell(...change),
      closes: (server) => this.network.closeAll(server)
    })
    this.network = new Network(clock, this.ensemble)
  }

  get isAway (): boolean {
    return this.ensemble.isAway
  }

  set isAway (isAway: boolean) {
    const comesBack = this.isAway && !isAway
    this.ensemble.isAway = isAway
    if (comesBack) this.ensemble.elect()
  }

  get late (): number {
    return this.network.late
  }

  async prepare (): Promise<void> {}

  land (): void {
    this.network.land()
  }

  heal (): void {
    this.isAway = false
    for (const server of this.ensemble.servers) {
      if (server.isDown) this.ensemble.setUp(server)
      this.ensemble.setLag(server, 'none')
    }
  }

  clientOf (host: Host, sessionTimeout: number, clock: Clock): ZooKeeperClient {
    const { ensemble, network } = this
    return createSimClient({ ensemble, network, host, sessionTimeout, clock })
  }
}
