/**
 * Values under keys that callers choose: bounded, with a share for each tenant, evicting the least recently used first.
 */
export interface TenantCache<Value> {
  readonly size: number
  /** Does not count as a use of the key. */
  has (key: string): boolean
  /** Counts as a use of the key. */
  get (key: string): Value | undefined
  /** @param tenant owner of the share that the entry is part of */
  set (tenant: string, key: string, value: Value): void
  delete (key: string): void
  clear (): void
}

/**
 * A full cache evicts from the share of the writing tenant, or of a tenant that has more than an equal share: a tenant
 * with less loses nothing, no matter how much the others write.
 *
 * @param max entries of all tenants together
 */
export function createTenantCache<Value> (max: number): TenantCache<Value> {
  const entries = new Map<string, { tenant: string, value: Value }>()
  /** Keys of each tenant, the least recently used first. */
  const shares = new Map<string, Set<string>>()

  function remove (key: string): void {
    const tenant = entries.get(key)?.tenant
    if (tenant === undefined) return
    entries.delete(key)
    const share = shares.get(tenant)
    share?.delete(key)
    if (share?.size === 0) shares.delete(tenant)
  }

  function use (tenant: string, key: string): void {
    const share = shares.get(tenant)
    share?.delete(key)
    share?.add(key)
  }

  function makeRoomFor (tenant: string): void {
    const own = shares.get(tenant)
    const equalShare = max / (own === undefined ? shares.size + 1 : shares.size)
    const [oldest] = own !== undefined && own.size >= equalShare ? own : largeShare(equalShare)
    if (oldest !== undefined) remove(oldest)
  }

  /** Shares that are not large move to the back, so that the next search finds a large one soon. */
  function largeShare (equalShare: number): Set<string> {
    let left = shares.size
    for (const [tenant, share] of shares) {
      if (share.size > equalShare || left-- === 0) return share
      shares.delete(tenant)
      shares.set(tenant, share)
    }
    return new Set()
  }

  return {
    get size () {
      return entries.size
    },
    has: (key) => entries.has(key),
    get (key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      use(entry.tenant, key)
      return entry.value
    },
    set (tenant, key, value) {
      const entry = entries.get(key)
      if (entry?.tenant === tenant) {
        entry.value = value
        return use(tenant, key)
      }
      remove(key)
      if (entries.size >= max) makeRoomFor(tenant)
      entries.set(key, { tenant, value })
      const share = shares.get(tenant)
      if (share === undefined) shares.set(tenant, new Set([key]))
      else share.add(key)
    },
    delete: remove,
    clear () {
      entries.clear()
      shares.clear()
    }
  }
}
