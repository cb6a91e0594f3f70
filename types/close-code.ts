/** Close code of the WebSocket of a client that is rejected, or disconnected later. */
export type CloseCode =
  /** Bad or expired signature. */
  | 4401
  /** Not in this role, or not from this web page. */
  | 4403
  /** The signature was used already. */
  | 4408
  /** The room is on another node, moved or was released: ask again. */
  | 4410
  /** No seat is free. */
  | 4429
  /** The registry cannot be reached. */
  | 4503
