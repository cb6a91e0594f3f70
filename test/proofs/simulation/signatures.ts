import type { Subject } from '../../../lib/signing/issue.js'
import type { SignatureClaims } from '../../../types/signature.js'
import type { Times } from './fixture.js'

export interface Signature {
  subject: Subject
  issuedAt: number
  expiresAt: number
  id: string
}

/** Signatures issued by gateways: a token is a number here, and its claims are stored. */
export class Signatures {
  readonly #byToken = new Map<string, Signature>()
  readonly #times: Times
  readonly #onIssue: (signature: Signature) => void

  constructor (times: Times, onIssue: (signature: Signature) => void) {
    this.#times = times
    this.#onIssue = onIssue
  }

  issue (subject: Subject): string {
    const token = `signature ${this.#byToken.size}`
    const issuedAt = Math.floor(subject.issuedAt / 1000)
    const signature = { subject, issuedAt, expiresAt: issuedAt + this.#times.ttl, id: token }
    this.#byToken.set(token, signature)
    this.#onIssue(signature)
    return token
  }

  of (token: string): Signature {
    const signature = this.#byToken.get(token)
    if (signature === undefined) throw new Error('unknown signature')
    return signature
  }

  /** Works as `verifySignature`. */
  verify (token: string, node: { id: string, incarnation: string }, now: number): SignatureClaims {
    const { subject, issuedAt, expiresAt, id } = this.of(token)
    const { tenant, room, user, name, role, node: named, joinOnly = false } = subject
    const isForNode = named.id === node.id && (joinOnly || named.incarnation === node.incarnation)
    const { skew } = this.#times
    if (!isForNode || now / 1000 >= expiresAt + skew || issuedAt > now / 1000 + skew) throw new Error('bad signature')
    const incarnation = joinOnly ? null : named.incarnation
    const known = joinOnly ? { knownIncarnation: named.incarnation } : {}
    return { tenant, room, user, name, role, node: named.id, incarnation, issuedAt, expiresAt, id, joinOnly, ...known }
  }
}
