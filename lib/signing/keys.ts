import { createHmac, createPrivateKey, createPublicKey, KeyObject, sign } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { checkOptions } from '../common/check-options.js'
import type { SigningKey } from '../../types/signature.js'

const MIN_SECRET_BYTES = 32

export type Algorithm = 'HS256' | 'EdDSA'

/** A checked key of any kind. */
export interface Key {
  readonly id: string
  /** The `alg` of its signatures: a signature that names another one is rejected (RFC 8725, 3.1). */
  readonly algorithm: Algorithm
  /** Secret or public key, to verify with. */
  readonly material: Uint8Array | KeyObject
  /** Signs text, and returns the signature in Base64url. Omitted: a public key. */
  readonly sign?: (text: string) => string
  /** Key of the hashes in the log, the same on every gateway that signs with this key. Omitted: a public key. */
  readonly logSecret?: string | Uint8Array
}

const Material = Type.Optional(Type.Unknown())

export const KeysSchema = Type.Array(Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 . _ : -' }),
  secret: Type.Optional(Type.Union([Type.String(), Type.Uint8Array()], { description: 'a string or bytes' })),
  privateKey: Material,
  publicKey: Material
}, {
  additionalProperties: false, description: 'an object { id, secret }, { id, privateKey } or { id, publicKey }'
}), { minItems: 1, description: 'a list of at least one { id, secret }, { id, privateKey } or { id, publicKey }' })

const ListSchema = Type.Object({ keys: KeysSchema }, { additionalProperties: false })

/**
 * Checks and copies a list of keys.
 *
 * @param mustSign whether the first key has to sign
 * @throws TypeError that names the key and the rule, never a value
 */
export function readKeys (list: readonly SigningKey[], mustSign: boolean): readonly Key[] {
  checkOptions('signing', ListSchema, { keys: list })
  const keys = list.map((key, index) => readKey(key, `"signing.keys.${index}`))
  list.forEach(({ id }, index) => {
    if (keys.findIndex((key) => key.id === id) === index) return
    throw new TypeError(`"signing.keys.${index}.id" option must differ from the id of every other key`)
  })
  if (mustSign && keys[0]?.sign === undefined) {
    throw new TypeError('"signing.keys.0" option must have a secret or a private key, since the first key signs')
  }
  return keys
}

function readKey (key: SigningKey, path: string): Key {
  const { id, secret, privateKey, publicKey } = key
  if ([secret, privateKey, publicKey].filter((material) => material !== undefined).length !== 1) {
    throw new TypeError(`${path}" option must have one of secret, privateKey and publicKey`)
  }
  if (secret !== undefined) return readSecret(id, secret, path)
  if (privateKey !== undefined) return readPrivateKey(id, privateKey, path)
  return { id, algorithm: 'EdDSA', material: readEd25519(publicKey, 'public', path) }
}

function readSecret (id: string, secret: string | Uint8Array, path: string): Key {
  const material = Uint8Array.from(Buffer.from(secret))
  if (material.byteLength < MIN_SECRET_BYTES) {
    throw new TypeError(`${path}.secret" option must be at least ${MIN_SECRET_BYTES} bytes long`)
  }
  return {
    id,
    algorithm: 'HS256',
    material,
    sign: (text) => createHmac('sha256', material).update(text).digest('base64url'),
    logSecret: material
  }
}

function readPrivateKey (id: string, privateKey: KeyObject | string, path: string): Key {
  const key = readEd25519(privateKey, 'private', path)
  return {
    id,
    algorithm: 'EdDSA',
    material: createPublicKey(key),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
    logSecret: String(key.export({ format: 'jwk' }).d)
  }
}

function readEd25519 (key: unknown, type: 'private' | 'public', path: string): KeyObject {
  const read = toKeyObject(key, type)
  if (read?.type === type && read.asymmetricKeyType === 'ed25519') return read
  throw new TypeError(`${path}.${type}Key" option must be an Ed25519 ${type} key: a KeyObject, or text in PEM`)
}

function toKeyObject (key: unknown, type: 'private' | 'public'): KeyObject | undefined {
  if (key instanceof KeyObject) return key
  // A public key can be derived from a private one, which a node must not be given.
  if (typeof key !== 'string' || (type === 'public' && key.includes('PRIVATE KEY'))) return undefined
  try {
    return type === 'private' ? createPrivateKey(key) : createPublicKey(key)
  } catch {
    return undefined
  }
}
