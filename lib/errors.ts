import { createError } from '@fastify/error'

/*
 * The catalogue. `code` is FST_COBROWSE_ and the retCode; the message is the retMsg, fixed text that names no host,
 * path or token. The README lists the same errors, and a test holds the two together.
 */
const catalogued = <Args extends unknown[] = []>(retCode: `${number}`, retMsg: string) =>
  // A stack costs as much as the rest of an error answer, and only that of an internal error is logged.
  createError<Args extends [] ? [{ cause?: unknown }?] : Args>(
    `FST_COBROWSE_${retCode}`, retMsg, Math.trunc(Number(retCode) / 100), Error, retCode === '50001'
  )

export const InvalidBodyError = catalogued<[string, { cause?: unknown }?]>('40001', '%s')
export const MissingTokenError = catalogued('40101', 'ccmessaging-token is missing or ambiguous')
export const InvalidTokenError = catalogued('40102', 'ccmessaging-token is not valid')
export const NotAuthorizedError = catalogued('40301', 'the session may not take this role, room or user id')
export const OriginNotAllowedError = catalogued('40302', 'the origin of the page is not allowed')
export const BodyTimeoutError = catalogued('40801', 'the body did not arrive in time')
export const BodyTooLargeError = catalogued('41301', 'the body is larger than 4096 bytes')
export const UnsupportedContentTypeError = catalogued('41501', 'the content type must be application/json in UTF-8')
export const TooManyRequestsError = catalogued('42901', 'too many requests')
export const InternalError = catalogued('50001', 'internal error')
export const NoLiveNodeError = catalogued('50301', 'no live node')
export const RegistryUnavailableError = catalogued('50302', 'the registry cannot be asked')
export const RegistrySettlingError = catalogued('50303', 'the registry is settling: new rooms have to wait')
export const ProvisionUnavailableError = catalogued('50304', 'the external address is not available')
export const SessionsUnavailableError = catalogued('50305', 'the token store cannot be asked')
export const OverloadedError = catalogued('50306', 'overloaded')
export const ClosingError = catalogued('50307', 'closing')
export const NodesFullError = catalogued('50308', 'all nodes are full')

/**
 * Not an answer of the route: a node gets this error for a signature that it must not accept. `cause` says why, for the
 * node's own log.
 */
export const SignatureError = createError<[{ cause?: unknown }?]>(
  'FST_COBROWSE_SIGNATURE', 'the signature is not valid', 401
)
