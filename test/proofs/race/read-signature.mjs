const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())

/** Reads the claims of a signature without verifying it. */
export function readSignature (signature) {
  const [header, payload] = signature.split('.', 2).map(read)
  const { room, role, aud, iat, exp, jti } = payload
  const [node, incarnation] = aud.split('/')
  const kind = header.typ === 'cobrowse-join+jwt' ? 'join-only' : 'normal'
  return { room, role, node, incarnation, iat, exp, jti, kind }
}
