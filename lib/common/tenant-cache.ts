import { LinkedList } from './linked-list.js'
import type { Linked } from './linked-list.js'

/**
 * Values under keys that callers choose: bounded, with a share for each tenant, evicting the least recently used first.
 */
export interface TenantCache<Value extends {}> {
  readonly size: number
  /** Does not count as a use of the key. */
  has (tenant: string, key: string): boolean
  /** Counts as a use of the key. */
  get (tenant: string, key: string): Value | undefined
  set (tenant: string, key: string, value: Value): void
  delete (tenant: string, key: string): void
  clear (): void
}

interface Entry<Value> extends Linked<Entry<Value>> {
  readonly key: string
  value: Value
}

/** The entries of one tenant. */
class Share<Value> {
  readonly entries = new Map<string, Entry<Value>>()
  /**
   * The least recently used first. The order of the Map would do, but each use would delete a key and add it again,
   * and a Map is copied after as many changes as it has places.
   */
  readonly order = new LinkedList<Entry<Value>>()

  use (entry: Entry<Value>): void {
    this.order.remove(entry)
    this.order.add(entry)
  }

  add (key: string, value: Value): void {
    const entry = { key, value, before: undefined, after: undefined }
    this.entries.set(key, entry)
    this.order.add(entry)
  }

  remove (entry: Entry<Value>): void {
    this.entries.delete(entry.key)
    this.order.remove(entry)
  }
}

/**
 * A full cache evicts from the share of the writing tenant, or of a tenant that has more than an equal share: a tenant
 * with less loses nothing, no matter how much the others write.
 *
 * @param max entries of all tenants together
 */
export function createTenantCache<Value extends {}> (max: number): TenantCache<Value> {
  const shares = new Map<string, Share<Value>>()
  let size = 0

  function remove (tenant: string, share: Share<Value>, entry: Entry<Value>): void {
    share.remove(entry)
    size--
    if (share.order.size === 0) shares.delete(tenant)
  }

  function makeRoomFor (tenant: string): void {
    const own = shares.get(tenant)
    const equalShare = max / (own === undefined ? shares.size + 1 : shares.size)
    const from = own !== undefined && own.order.size >= equalShare ? tenant : ownerOfLargeShare(equalShare)
    const share = shares.get(from)
    const oldest = share?.order.first
    if (share !== undefined && oldest !== undefined) remove(from, share, oldest)
  }

  /** Shares that are not large move to the back, so that the next search finds a large one soon. */
  function ownerOfLargeShare (equalShare: number): string {
    let left = shares.size
    for (const [tenant, share] of shares) {
      if (share.order.size > equalShare || left-- === 0) return tenant
      shares.delete(tenant)
      shares.set(tenant, share)
    }
    return ''
  }

  function shareOf (tenant: string): Share<Value> {
    let share = shares.get(tenant)
    if (share === undefined) {
      share = new Share()
      shares.set(tenant, share)
    }
    return share
  }

  return {
    get size () {
      return size
    },
    has: (tenant, key) => shares.get(tenant)?.entries.has(key) === true,
    get (tenant, key) {
      const share = shares.get(tenant)
      const entry = share?.entries.get(key)
      if (share === undefined || entry === undefined) return undefined
      share.use(entry)
      return entry.value
    },
    set (tenant, key, value) {
      const known = shares.get(tenant)
      const entry = known?.entries.get(key)
      if (known !== undefined && entry !== undefined) {
        entry.value = value
        known.use(entry)
        return
      }
      if (size >= max) makeRoomFor(tenant)
      shareOf(tenant).add(key, value)
      size++
    },
    delete (tenant, key) {
      const share = shares.get(tenant)
      const entry = share?.entries.get(key)
      if (share !== undefined && entry !== undefined) remove(tenant, share, entry)
    },
    clear () {
      shares.clear()
      size = 0
    }
  }
}
