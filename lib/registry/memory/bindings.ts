import { LinkedList } from '../../common/linked-list.js'
import type { Linked } from '../../common/linked-list.js'
import type { NodeView } from '../../../types/registry.js'

/** One registration. The view is live: `rooms` counts the rooms that are bound to the registration now. */
export interface Member {
  readonly view: NodeView
  gone: boolean
}

/** Most lingering rooms of all tenants together, since a caller may try one id after the other. */
const MAX_LINGERING = 100_000

interface Binding extends Linked<Binding> {
  readonly name: string
  readonly tenant: string
  readonly member: Member
  /** Milliseconds on the monotonic clock. */
  endsAt: number
}

/** Bindings of rooms to members. */
export interface Bindings {
  find (name: string): Member | undefined
  /** Whether another room of the tenant may be bound: always, as long as the tenant has less than an equal share. */
  mayBind (tenant: string): boolean
  /** Binds a room until `lingerMs` after the binding was made or prolonged last. */
  bind (name: string, member: Member, tenant: string): void
  prolong (name: string): void
  /** Binds a room until the next `bind`, or until the member leaves. */
  claim (name: string, member: Member): void
  unbind (name: string): void
  isClaimedBy (name: string, member: Member): boolean
  drop (member: Member): void
  /** Those of members that have not left. */
  all (): Array<{ name: string, member: Member, isClaimed: boolean }>
  /** Removes bindings that have ended. */
  sweep (): void
}

/** @param onCount called at every change of the number of a member's rooms */
export function createBindings (
  lingerMs: number, onCount: (member: Member, before: number) => void, maxLingering = MAX_LINGERING
): Bindings {
  const claimed = new Map<string, Member>()
  const lingering = new Map<string, Binding>()
  // All bindings linger equally long and a prolonged one moves to the end, so the first ones end first.
  const order = new LinkedList<Binding>()
  /** Number of lingering rooms of each tenant. */
  const shares = new Map<string, number>()

  function count (member: Member, change: number): void {
    member.view.rooms += change
    onCount(member, member.view.rooms - change)
  }

  function put (name: string, member: Member, tenant: string): void {
    forget(name)
    const endsAt = performance.now() + lingerMs
    const binding = { name, tenant, member, endsAt, before: undefined, after: undefined }
    lingering.set(name, binding)
    order.add(binding)
    shares.set(tenant, (shares.get(tenant) ?? 0) + 1)
  }

  function forget (name: string): void {
    const binding = lingering.get(name)
    if (binding === undefined) return
    lingering.delete(name)
    order.remove(binding)
    const left = (shares.get(binding.tenant) ?? 0) - 1
    if (left > 0) shares.set(binding.tenant, left)
    else shares.delete(binding.tenant)
  }

  function sweep (): void {
    const now = performance.now()
    for (let { first } = order; first !== undefined && first.endsAt <= now; { first } = order) unbind(first.name)
  }

  function unbind (name: string): void {
    const member = claimed.get(name) ?? lingering.get(name)?.member
    if (member === undefined) return
    claimed.delete(name)
    forget(name)
    count(member, -1)
  }

  return {
    find (name) {
      sweep()
      const member = claimed.get(name) ?? lingering.get(name)?.member
      return member?.gone ? undefined : member
    },
    mayBind (tenant) {
      sweep()
      const share = shares.get(tenant)
      const tenants = share === undefined ? shares.size + 1 : shares.size
      return lingering.size < maxLingering || (share ?? 0) < maxLingering / tenants
    },
    bind (name, member, tenant) {
      unbind(name)
      put(name, member, tenant)
      count(member, 1)
    },
    prolong (name) {
      const binding = lingering.get(name)
      if (binding === undefined) return
      binding.endsAt = performance.now() + lingerMs
      order.remove(binding)
      order.add(binding)
    },
    claim (name, member) {
      unbind(name)
      claimed.set(name, member)
      count(member, 1)
    },
    unbind,
    isClaimedBy: (name, member) => claimed.get(name) === member,
    drop (member) {
      for (const [name, holder] of claimed) if (holder === member) unbind(name)
    },
    all () {
      sweep()
      const found = [...claimed].map(([name, member]) => ({ name, member, isClaimed: true }))
      for (const { name, member } of lingering.values()) found.push({ name, member, isClaimed: false })
      return found.filter(({ member }) => !member.gone)
    },
    sweep
  }
}
