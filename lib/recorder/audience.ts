import type { RecorderConnection } from '../../types/recorder.js'

/** The clients of the room, as the node tells them. */
export interface Audience {
  /** The names of the viewers, in the order of their arrival. */
  readonly names: readonly string[]
  /** The numbers of the viewers: each is that of one client of one node. */
  readonly ids: readonly number[]
  /** Another page of the same user is the one that is seen. */
  readonly isStandby: boolean
  /** A viewer asks for the page. It counts even if the node did not name it: the list came before this recorder. */
  meet (): void
  /** @returns unsubscribes */
  onChange (listener: () => void): () => void
}

interface Viewer {
  id: number
  name: string
}

/** A second recorder of a connection has to know what the first one was told: the node repeats nothing. */
const audiences = new WeakMap<RecorderConnection, Audience>()

export function audienceOf (connection: RecorderConnection): Audience {
  const audience = audiences.get(connection) ?? createAudience(connection)
  audiences.set(connection, audience)
  return audience
}

function createAudience (connection: RecorderConnection): Audience {
  const listeners = new Set<() => void>()
  let viewers: Viewer[] = []
  let isStandby = false
  let isTold = false

  function tell (): void {
    for (const listener of [...listeners]) listener()
  }

  connection.on('message', (message) => {
    const told = typeof message === 'string' ? parse(message) : {}
    if (told.type !== 'members' || !Array.isArray(told.members)) return
    const recorder = told.recorder ?? undefined
    isTold = true
    isStandby = recorder !== undefined && recorder !== told.you
    viewers = isStandby ? [] : told.members.filter(isViewer).map(({ id, name }) => ({ id, name: String(name) }))
    tell()
  })
  // Every node names the clients when the connection opens.
  connection.on('state', (state) => {
    if (state === 'closed') return
    viewers = []
    isStandby = false
    tell()
  })

  return {
    get names () {
      return viewers.map(({ name }) => name)
    },
    get ids () {
      return viewers.map(({ id }) => id)
    },
    get isStandby () {
      return isStandby
    },
    meet () {
      if (isTold) return
      viewers = [{ id: 0, name: '' }]
      tell()
    },
    onChange (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
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
