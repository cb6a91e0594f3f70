import { Type } from '@sinclair/typebox'
import { toBytes } from '../signature.js'
import type { SigningKey, SigningOptions } from '../../types/signature.js'

const MIN_SECRET_BYTES = 32

/** The most milliseconds that a Node.js timer can count; a longer timer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

export const SIGNING_DEFAULTS = Object.freeze({ ttl: 15, skew: 5 })

export const seconds = (minimum: number) => Type.Integer({
  minimum, description: `an integer of at least ${minimum}, in seconds`
})

const Key = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 . _ : -' }),
  secret: Type.Union([Type.String(), Type.Uint8Array()], { description: 'a string or bytes' })
}, { additionalProperties: false, description: 'an object { id, secret }' })

export const SigningSchema = Type.Object({
  keys: Type.Array(Key, { minItems: 1, description: 'a list of at least one { id, secret }' }),
  ttl: Type.Optional(seconds(1)),
  skew: Type.Optional(seconds(1))
}, { additionalProperties: false, description: 'an object { keys, ttl?, skew? }' })

export const OriginsSchema = Type.Array(
  Type.String({ description: 'an origin, such as https://app.example' }), { description: 'a list of origins' }
)

/** Complete and frozen, keys included. */
export type SigningSettings = Readonly<{ keys: readonly SigningKey[], ttl: number, skew: number }>

/**
 * Copies options that passed the schema.
 *
 * @throws TypeError that names the option and the rule
 */
export function readSigning (signing: SigningOptions): SigningSettings {
  const { keys, ttl = SIGNING_DEFAULTS.ttl, skew = SIGNING_DEFAULTS.skew } = signing
  checkKeys(keys)
  return Object.freeze({ keys: Object.freeze(keys.map(copyKey)), ttl, skew })
}

function checkKeys (keys: readonly SigningKey[]): void {
  keys.forEach(({ id, secret }, index) => {
    if (toBytes(secret).byteLength < MIN_SECRET_BYTES) {
      throw new TypeError(`"signing.keys.${index}.secret" option must be at least ${MIN_SECRET_BYTES} bytes long`)
    }
    if (keys.findIndex((key) => key.id === id) !== index) {
      throw new TypeError(`"signing.keys.${index}.id" option must differ from the id of every other key`)
    }
  })
}

function copyKey ({ id, secret }: SigningKey): SigningKey {
  return Object.freeze({ id, secret: typeof secret === 'string' ? secret : Uint8Array.from(secret) })
}

/** @throws TypeError unless each origin is written as a browser sends it */
export function checkOrigins (origins: readonly string[]): void {
  origins.forEach((origin, index) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(`"allowedOrigins.${index}" option must be an origin such as https://app.example`)
    }
  })
}

/**
 * A signature that outlives its binding could name another node than the next binding does.
 *
 * @throws TypeError
 */
export function checkLifetime ({ ttl, skew }: SigningSettings, linger: number | undefined): void {
  if (linger !== undefined && ttl + skew > linger) {
    throw new TypeError(`"signing.ttl" option plus "signing.skew" must be at most the ${linger} seconds that the ` +
      `registry lingers: give the registry { linger: ${ttl + skew} }`)
  }
}
