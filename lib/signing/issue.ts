import { randomId } from '../random-id.js'
import { audienceOf, ISSUER, JOIN_ONLY_TYPE, TYPE } from './format.js'
import type { Key } from './keys.js'
import type { SigningSettings } from './options.js'
import type { Role } from '../../types/role.js'

/** The room, user and node that a signature is issued for. */
export interface Subject {
  tenant: string
  room: string
  user: string
  name: string
  role: Role
  node: { id: string, incarnation: string }
  /** Milliseconds since the epoch, by the store's clock. */
  issuedAt: number
  /** For a room that is already open on the node, under any incarnation of the node. */
  joinOnly?: boolean
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A key that signs, with the headers that name it. */
interface Signer {
  key: Key
  sign: (text: string) => string
  header: string
  joinOnlyHeader: string
}

/**
 * Makes the issuer of signatures: a JWS in compact form (RFC 7515, RFC 7519), with HS256 or EdDSA.
 *
 * @param signing whose first key signs
 */
export function createIssuer ({ keys, ttl }: SigningSettings): (subject: Subject) => string {
  let signer = createSigner(keys.first())

  return function issue ({ tenant, room, user, name, role, node, issuedAt, joinOnly = false }) {
    const key = keys.first()
    if (key !== signer.key) signer = createSigner(key)
    const iat = Math.floor(issuedAt / 1000)
    const signed = `${joinOnly ? signer.joinOnlyHeader : signer.header}.${encode({
      iss: ISSUER,
      aud: audienceOf(node, joinOnly),
      tenant,
      room,
      sub: user,
      name,
      role,
      iat,
      exp: iat + ttl,
      jti: randomId(),
      ...(joinOnly && { inc: node.incarnation })
    })}`
    return `${signed}.${signer.sign(signed)}`
  }
}

function createSigner (key: Key): Signer {
  const { id: kid, algorithm: alg, sign } = key
  if (sign === undefined) throw new TypeError('"signing.keys.0" option must have a secret or a private key')
  return {
    key, sign, header: encode({ alg, typ: TYPE, kid }), joinOnlyHeader: encode({ alg, typ: JOIN_ONLY_TYPE, kid })
  }
}
