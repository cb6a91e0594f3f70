/** Why a client is turned away, or sent away later. The close code of the WebSocket. */
export type CloseCode =
  /** Bad or expired signature. */
  | 4401
  /** Not in this role, or not from this web page. */
  | 4403
  /** The signature was used already. */
  | 4408
  /** The room lives elsewhere, moved or was released: ask again. */
  | 4410
  /** No seat is free. */
  | 4429
  /** The registry cannot be reached. */
  | 4503
