import type { CobrowseErrorCode, CobrowseFailure } from '../../types/client.js'

type Details = Pick<CobrowseFailure, 'retryAfter' | 'returnWithin' | 'closeCode' | 'status'>

/** The reason why there is no connection, or why ending a call failed. */
export class CobrowseError extends Error implements CobrowseFailure {
  override name = 'CobrowseError'
  readonly code: CobrowseErrorCode
  readonly retryAfter: number | undefined
  readonly returnWithin: number | undefined
  readonly closeCode: number | undefined
  readonly status: number | undefined

  constructor (code: CobrowseErrorCode, message: string, details: Details = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryAfter = details.retryAfter
    this.returnWithin = details.returnWithin
    this.closeCode = details.closeCode
    this.status = details.status
  }
}
