import { causesOf } from '../../common/reason.js'
import type { StoreName } from './store.js'

/** The node breaks the rule. The message describes the observed behaviour. */
export class BrokenRule extends Error {
  override name = 'BrokenRule'
}

/** The preconditions of the rule were not met, so the node cannot be checked. */
export class NotChecked extends Error {
  override name = 'NotChecked'
}

/** The store cannot be asked, so nothing can be said about the node. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'

  constructor (store: StoreName, cause: unknown) {
    const [reason] = causesOf(cause).slice(-1)
    super(`${store} cannot be asked: ${reason?.message ?? String(cause)}`, { cause })
  }
}

/** @throws BrokenRule unless it is kept */
export function expect (isKept: boolean, seen: string): asserts isKept {
  if (!isKept) throw new BrokenRule(seen)
}

/** @throws NotChecked unless it is given */
export function suppose (isGiven: boolean, missing: string): asserts isGiven {
  if (!isGiven) throw new NotChecked(missing)
}
