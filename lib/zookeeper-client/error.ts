import { ReasonError } from '../common/reason.js'
import { zookeeper } from './package.js'

/** An error answer of ZooKeeper, or a missing connection. */
export class ZooKeeperError extends ReasonError {
  override name = 'ZooKeeperError'

  /** Name of ZooKeeper's exception: `CONNECTION_LOSS`, `NO_AUTH`, `SESSION_EXPIRED`, … */
  readonly code: string

  constructor (code: string, message: string) {
    super(message)
    this.code = code
  }
}

export function nameOf (code: number): string {
  const [name] = Object.entries(zookeeper().Exception).find(([, value]) => value === code) ?? []
  return name ?? `ERROR_${-code}`
}
