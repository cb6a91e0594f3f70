import type { NodeView } from '../../types/registry.js'

/** One registration. Its view is the living one: `rooms` is what is bound to it now. */
export interface Member {
  readonly view: NodeView
  gone: boolean
}

interface Binding {
  member: Member
  /** On the monotonic clock. */
  endsAt: number
}

/** Which member holds a room. */
export interface Bindings {
  find (name: string): Member | undefined
  /** Until `linger` milliseconds after it was bound or prolonged last. */
  bind (name: string, member: Member): void
  prolong (name: string): void
  /** Until it is bound again or its member goes. */
  claim (name: string, member: Member): void
  isClaimedBy (name: string, member: Member): boolean
  drop (member: Member): void
  /** Takes out what has ended. */
  sweep (): void
}

/** @param onCount is told of every change of the rooms of a member */
export function createBindings (lingerMs: number, onCount: (member: Member, before: number) => void): Bindings {
  const claimed = new Map<string, Member>()
  // All linger equally long and are put last whenever they are prolonged, so the first ones end first.
  const lingering = new Map<string, Binding>()

  function count (member: Member, change: number): void {
    member.view.rooms += change
    onCount(member, member.view.rooms - change)
  }

  function put (name: string, member: Member): void {
    lingering.delete(name)
    lingering.set(name, { member, endsAt: performance.now() + lingerMs })
  }

  function sweep (): void {
    const now = performance.now()
    for (const [name, { endsAt }] of lingering) {
      if (endsAt > now) return
      unbind(name)
    }
  }

  function unbind (name: string): void {
    const member = claimed.get(name) ?? lingering.get(name)?.member
    if (member === undefined) return
    claimed.delete(name)
    lingering.delete(name)
    count(member, -1)
  }

  return {
    find (name) {
      sweep()
      const member = claimed.get(name) ?? lingering.get(name)?.member
      return member?.gone ? undefined : member
    },
    bind (name, member) {
      unbind(name)
      put(name, member)
      count(member, 1)
    },
    prolong (name) {
      const binding = lingering.get(name)
      if (binding !== undefined) put(name, binding.member)
    },
    claim (name, member) {
      unbind(name)
      claimed.set(name, member)
      count(member, 1)
    },
    isClaimedBy: (name, member) => claimed.get(name) === member,
    drop (member) {
      for (const [name, holder] of claimed) if (holder === member) unbind(name)
    },
    sweep
  }
}
