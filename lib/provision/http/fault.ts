import { DeadlineError } from '../../common/deadline.js'
import { ReasonError } from '../../common/reason.js'

export interface FaultDetails {
  /**
   * The origin of the failure: `unreachable`: the backend is unreachable for all tenants alike · `backend`: reached, or
   * possibly reached, but failed on this question · `access`: does not let this gateway ask · `answer`: answers, but
   * not this question with an address.
   */
  blame: 'unreachable' | 'backend' | 'access' | 'answer'
  /** Milliseconds after which another try may help. */
  retryMs?: number
  /** Milliseconds for which the same question is not asked again. */
  holdMs?: number
  cause?: unknown
}

/** The reason why an exchange gave no address. The message is for an operator: no host, token or part of an answer. */
export class ProvisionFault extends ReasonError {
  override name = 'ProvisionFault'
  readonly blame: FaultDetails['blame']
  readonly retryMs: number | undefined
  readonly holdMs: number

  constructor (reason: string, { blame, retryMs, holdMs = 1000, cause }: FaultDetails) {
    super(reason, cause === undefined ? undefined : { cause })
    this.blame = blame
    this.retryMs = retryMs
    this.holdMs = holdMs
  }
}

/** Log texts for the codes of Node.js, OpenSSL, llhttp and undici; the first match counts. */
const FAULTS: Array<[pattern: RegExp, reason: string, details: FaultDetails]> = [
  [/TIMEOUT|^ETIMEDOUT$/, 'timed out', { blame: 'backend' }],
  [/^ECONNREFUSED$/, 'connection refused', { blame: 'unreachable', retryMs: 0 }],
  [/^(ENOTFOUND|EAI_\w+)$/, 'name lookup failed', { blame: 'unreachable' }],
  [/^E(HOST|NET)(UNREACH|DOWN)$/, 'network unreachable', { blame: 'unreachable' }],
  [/TLS|SSL|CERT|^(EPROTO|UNABLE_TO_\w+|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|CRL_\w+)$/, 'TLS failure',
    { blame: 'unreachable' }],
  [/^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, 'answer with too many headers', { blame: 'answer' }],
  [/^UND_ERR_RES_EXCEEDED_MAX_SIZE$/, 'answer is too large', { blame: 'answer' }],
  [/^(HPE_\w+|HTTPParserError|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/, 'broken HTTP', { blame: 'backend', retryMs: 0 }],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/, 'connection lost', { blame: 'backend', retryMs: 0 }],
  [/^UND_ERR_INVALID_ARG$/, 'the request cannot be made: are the "headers" well-formed?', { blame: 'access' }]
]

/** The messages of the errors below name hosts, so only their codes are used. */
export function toFault (error: unknown): ProvisionFault {
  if (error instanceof ProvisionFault) return error
  if (error instanceof DeadlineError) return new ProvisionFault('timed out', { blame: 'backend' })
  const code = codeOf(error)
  const found = FAULTS.find(([pattern]) => pattern.test(code))
  if (found === undefined) return new ProvisionFault('failed', { blame: 'backend', cause: error })
  const [, reason, details] = found
  return new ProvisionFault(`${reason} (${code})`, details)
}

// undici 7 gives its parser's errors a name, but no code.
function codeOf (error: unknown): string {
  if (!(error instanceof Error)) return ''
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
