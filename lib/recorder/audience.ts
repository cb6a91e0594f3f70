/** The clients of the room, as the node tells them. */
export interface Audience {
  /** Names of the viewers. */
  readonly names: readonly string[]
  /** Another page of the same user is the one that is seen. */
  readonly isStandby: boolean
  /** Reads a message of the node. @returns whether it named the clients */
  read (text: string): boolean
  /** Viewers that have not been there at the last call. */
  countNew (): number
  /** A viewer asks for the page. It counts even if the node did not name it: the list came before this recorder. */
  meet (): void
  /** The numbers of clients are those of one node. */
  forget (): void
}

interface Viewer {
  id: number
  name: string
}

export function createAudience (): Audience {
  let viewers: Viewer[] = []
  let known = new Set<number>()
  let isStandby = false
  let isTold = false

  return {
    get names () {
      return viewers.map(({ name }) => name)
    },
    get isStandby () {
      return isStandby
    },
    read (text) {
      const told = parse(text)
      if (told.type !== 'members' || !Array.isArray(told.members)) return false
      const recorder = told.recorder ?? undefined
      isTold = true
      isStandby = recorder !== undefined && recorder !== told.you
      viewers = isStandby ? [] : told.members.filter(isViewer).map(({ id, name }) => ({ id, name: String(name) }))
      return true
    },
    countNew () {
      const before = known
      known = new Set(viewers.map(({ id }) => id))
      return viewers.filter(({ id }) => !before.has(id)).length
    },
    meet () {
      if (!isTold) viewers = [{ id: 0, name: '' }]
    },
    forget () {
      viewers = []
      known = new Set()
      isStandby = false
    }
  }
}

function parse (text: string): { type?: unknown, you?: unknown, recorder?: unknown, members?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

function isViewer (member: unknown): member is Viewer {
  return Object(member).role === 'replayer' && typeof Object(member).id === 'number'
}
