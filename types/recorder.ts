/** The part of an event of rrweb that the recorder reads. */
export interface RrwebEvent {
  type: number
  data: unknown
  timestamp?: number
}

/** Options of `record` that the recorder sets. */
export interface RrwebRecordOptions {
  emit: (event: RrwebEvent) => void
  blockSelector: string
  maskInputOptions: { password: boolean }
  maskInputFn: (text: string) => string
  inlineStylesheet: boolean
  recordCanvas: boolean
  recordCrossOriginIframes: boolean
  sampling: { mousemove: number, scroll: number }
}

/** The function `record` of rrweb 2, as far as the recorder uses it. */
export interface RrwebRecord {
  (options: RrwebRecordOptions): (() => void) | undefined
  takeFullSnapshot (): void
  mirror: {
    getNode (id: number): Node | null
    getId (node: Node): number
  }
}

/** The part of a connection that the recorder uses: that of `fastify-cobrowse/client`, or one like it. */
export interface RecorderConnection {
  /** `open`, `closed` for good, or anything else. */
  readonly state: string
  readonly bufferedAmount: number
  send (data: string): boolean
  on (event: 'message', listener: (message: string | ArrayBuffer) => void): () => void
  on (event: 'state', listener: (state: string) => void): () => void
}

export interface RecorderOptions {
  /** Call `startRecorder` right after `connect`: the node names the clients of the room when the connection opens. */
  connection: RecorderConnection
  /** The function of rrweb. */
  record: RrwebRecord
  /**
   * A CSS selector of further parts that never leave the page, beside `[data-private]`, fields for passwords, cards and
   * one-time codes.
   */
  private?: string | undefined
  /**
   * Masks every text, value and image of the page, or all but the parts that the selector `show` names.
   * @default false
   */
  maskAll?: boolean | { show: string } | undefined
  /** Receives every note, as the event `note` does. */
  onNote?: ((note: RecorderNote) => void) | undefined
  /** Stops the recorder. */
  signal?: AbortSignal | undefined
}

/**
 * `waiting` for a viewer · `watched` · `standby`: another page of the same user is the one that is seen · `paused` ·
 * `stopped` for good.
 */
export type RecorderState = 'waiting' | 'watched' | 'standby' | 'paused' | 'stopped'

/** Something that viewers do not see in the picture, in words. They are told the same. */
export interface RecorderNote {
  /** `too-large`: the page is not shown · or a change of the recorder. */
  readonly code: 'too-large' | 'paused' | 'resumed' | 'stopped'
  readonly text: string
}

export interface RecorderEvents {
  state: (state: RecorderState) => void
  /** The names of the viewers, in the order of their arrival. */
  watchers: (names: readonly string[]) => void
  /** Whether another page of the same user is the one that is seen. */
  standby: (isStandby: boolean) => void
  note: (note: RecorderNote) => void
}

/** Shows this page to the replayers of its room. */
export interface Recorder {
  readonly state: RecorderState
  readonly watchers: readonly string[]
  /** Nothing of the page leaves until `resume`. */
  pause (): void
  resume (): void
  /** Nothing of the page leaves from now on. The connection stays as it is. */
  stop (): void
  /** Sends the whole page again, for example after a change of styles that rrweb does not notice. */
  show (): void
  /**
   * Adds a listener. An exception of a listener is reported as an uncaught error, and affects nothing else.
   *
   * @returns unsubscribes
   */
  on<E extends keyof RecorderEvents> (event: E, listener: RecorderEvents[E]): () => void
}

export interface IndicatorWords {
  /** @default 'You are sharing this page.' */
  sharing?: string | undefined
  /** @default 'No one is watching.' */
  waiting?: string | undefined
  /** @default 'Another tab of yours is the one that is seen.' */
  standby?: string | undefined
  /** @default 'Sharing is paused.' */
  paused?: string | undefined
  /** @default (names) => `Watching: ${names.join(', ')}` */
  watching?: ((names: readonly string[]) => string) | undefined
  /** @default 'Pause' */
  pause?: string | undefined
  /** @default 'Resume' */
  resume?: string | undefined
  /** @default 'Stop sharing' */
  stop?: string | undefined
}

export interface IndicatorOptions {
  /** Other words, for example in another language. */
  words?: IndicatorWords | undefined
  /** Called after the button has stopped the recorder: end the call or close the connection here. */
  onStop?: (() => void) | undefined
}
