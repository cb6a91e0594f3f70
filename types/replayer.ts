import type { Role } from './role.js'

/**
 * `waiting` for a recorder · `loading` its page · `showing` it · `gone`: the recorder left, or the connection is
 * closed; the last picture stays · `closed` by `close` or the signal.
 */
export type ReplayerState = 'waiting' | 'loading' | 'showing' | 'gone' | 'closed'

/** A client inside the room. */
export interface RoomMember {
  /** Unique on its node. */
  readonly id: number
  readonly name: string
  readonly role: Role
}

export interface RoomMembers {
  /** Id of this client. */
  readonly you: number
  /** Id of the recorder that is seen. */
  readonly recorder: number | null
  /** In the order of their arrival. */
  readonly members: readonly RoomMember[]
}

/** A note for the viewer. The text may come from the other side: show it as text only. */
export interface ReplayerNote {
  /** For example `left-out`: a part of the page is not shown. */
  readonly code: string
  readonly text: string
}

export interface ReplayerEvents {
  state: (state: ReplayerState) => void
  /** The node told who is in the room. */
  members: (members: RoomMembers) => void
  /** A whole page was drawn. */
  picture: (size: { width: number, height: number }) => void
  /** Something about the page, in words: told by the recorder, or a kind of content that this replayer leaves out. */
  note: (note: ReplayerNote) => void
  /** A message of the recorder cannot be shown, with the reason. */
  refused: (reason: string) => void
  /** A content security policy does not do its part, with the reason; told once, after the first picture. */
  policy: (problem: string) => void
}

/** The parts of the client's `Connection` that a replayer uses. */
export interface ReplayerConnection {
  /** A connection that is `open` already has told of the members: the page is asked for at once. */
  readonly state?: string
  /** A message of the node is a string; a message of the other side is binary. */
  on (event: 'message', listener: (message: string | ArrayBuffer) => void): () => void
  /** A connection to another node: the ids of its members are new. */
  on (event: 'open', listener: () => void): () => void
  on (event: 'close', listener: () => void): () => void
  send (text: string): boolean
}

/** `Replayer` of rrweb 2. Typed by structure, so that these types need no rrweb. */
export type RrwebReplayerClass = new (events: never[], config: never) => object

export interface ReplayerOptions {
  /** Element of the page that gets the picture. It needs a size, to which the picture is fitted. */
  root: Element
  /** Connection of the role `replayer`. */
  connection: ReplayerConnection
  /** The class `Replayer` of rrweb 2. */
  Replayer: RrwebReplayerClass
  /**
   * Title of the frame, read by screen readers.
   * @default 'The shared page'
   */
  title?: string | undefined
  /** Closes the replayer. */
  signal?: AbortSignal | undefined
}

/** Shows the page of the recorder in a room. */
export interface Replayer {
  readonly state: ReplayerState
  /** Removes the picture, and stops reading messages; the connection stays open. Idempotent. */
  close (): void
  /**
   * Adds a listener. An exception of a listener is reported as an uncaught error, and affects nothing else.
   *
   * @returns unsubscribes
   */
  on<E extends keyof ReplayerEvents> (event: E, listener: ReplayerEvents[E]): () => void
}
