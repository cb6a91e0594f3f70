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

/**
 * A full cache evicts from the share of the writing tenant, or of a tenant that has more than an equal share: a tenant
 * with less loses nothing, no matter how much the others write.
 *
 * @param max entries of all tenants together
 */
export function createTenantCache<Value extends {}> (max: number): TenantCache<Value> {
  /** Entries of each tenant, the least recently used first. */
  const shares = new Map<string, Map<string, Value>>()
  let size = 0

  function remove (tenant: string, key: string): void {
    const share = shares.get(tenant)
    if (share?.delete(key) !== true) return
    size--
    if (share.size === 0) shares.delete(tenant)
  }

  function makeRoomFor (tenant: string): void {
    const own = shares.get(tenant)
    const equalShare = max / (own === undefined ? shares.size + 1 : shares.size)
    const from = own !== undefined && own.size >= equalShare ? tenant : ownerOfLargeShare(equalShare)
    const [oldest] = shares.get(from)?.keys() ?? []
    if (oldest !== undefined) remove(from, oldest)
  }

  /** Shares that are not large move to the back, so that the next search finds a large one soon. */
  function ownerOfLargeShare (equalShare: number): string {
    let left = shares.size
    for (const [tenant, share] of shares) {
      if (share.size > equalShare || left-- === 0) return tenant
      shares.delete(tenant)
      shares.set(tenant, share)
    }
    return ''
  }

  return {
    get size () {
      return size
    },
    has: (tenant, key) => shares.get(tenant)?.has(key) === true,
    get (tenant, key) {
      const share = shares.get(tenant)
      const value = share?.get(key)
      if (share === undefined || value === undefined) return undefined
      share.delete(key)
      share.set(key, value)
      return value
    },
    set (tenant, key, value) {
      if (shares.get(tenant)?.delete(key) === true) size--
      else if (size >= max) makeRoomFor(tenant)
      const share = shares.get(tenant)
      if (share === undefined) shares.set(tenant, new Map([[key, value]]))
      else share.set(key, value)
      size++
    },
    delete: remove,
    clear () {
      shares.clear()
      size = 0
    }
  }
}
