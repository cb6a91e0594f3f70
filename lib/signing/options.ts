import { Type } from '@sinclair/typebox'
import { FunctionOption } from '../common/check-options.js'
import { seconds } from '../common/durations.js'
import { createKeyRing } from './key-ring.js'
import { KeysSchema } from './keys.js'
import type { KeyRing } from './key-ring.js'
import type { SigningOptions } from '../../types/signature.js'

export const SIGNING_DEFAULTS = Object.freeze({ ttl: 15, skew: 5 })

export const SigningSchema = Type.Object({
  // TypeBox sees own properties only, and a source may inherit its methods from a class.
  keys: Type.Union([KeysSchema, FunctionOption('a function'), Type.Object({})], {
    description: 'a list of keys, a function that returns one, or an object with a method "current"'
  }),
  ttl: Type.Optional(seconds(1)),
  skew: Type.Optional(seconds(1))
}, { additionalProperties: false, description: 'an object { keys, ttl?, skew? }' })

/** Complete and frozen. */
export type SigningSettings = Readonly<{ keys: KeyRing, ttl: number, skew: number }>

/**
 * Reads options that passed the schema.
 *
 * @param mustSign whether the first key has to sign
 * @throws TypeError that names the option and the rule
 */
export function readSigning (signing: SigningOptions, mustSign: boolean): SigningSettings {
  const { keys, ttl = SIGNING_DEFAULTS.ttl, skew = SIGNING_DEFAULTS.skew } = signing
  return Object.freeze({ keys: createKeyRing(keys, mustSign), ttl, skew })
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
