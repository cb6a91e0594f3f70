import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Type } from '@sinclair/typebox'
import { isLoopbackUrl } from '../common/address.js'
import { checkOptions, FunctionOption } from '../common/check-options.js'
import { milliseconds, seconds } from '../common/durations.js'
import { createSingleFlight } from '../common/single-flight.js'
import { readKeys } from './keys.js'
import type { JwksOptions, PublicJwks } from '../../types/jwks.js'
import type { KeySource, PublicKey, SigningKey } from '../../types/signature.js'

const MAX_BYTES = 256 * 1024

const OptionsSchema = Type.Object({
  url: Type.Optional(Type.String({ description: 'an https:// URL, or an http:// URL of this machine' })),
  file: Type.Optional(Type.String({ minLength: 1, description: 'the path of a file' })),
  maxAge: Type.Optional(seconds(1)),
  cooldown: Type.Optional(seconds(1)),
  timeout: Type.Optional(milliseconds(1)),
  onError: Type.Optional(FunctionOption('a function (error) => …'))
}, { additionalProperties: false })

/**
 * Public keys for a node, from a JWK Set (RFC 7517) that the gateways publish. The set is read now, again with the
 * first signature after `maxAge`, and at most once per `cooldown` for a signature with an unknown key.
 *
 * @throws TypeError that names the option; any other error if the set cannot be read or holds no Ed25519 key
 */
export async function jwksKeys (options: JwksOptions): Promise<KeySource> {
  checkOptions('jwksKeys', OptionsSchema, options)
  const { maxAge = 300, cooldown = 10, timeout = 3000, onError = () => {} } = options
  const load = readLocation(options)
  const now = () => performance.now()
  let keys = toKeys(await load(AbortSignal.timeout(timeout)))
  let freshUntil = now() + maxAge * 1000
  let restsUntil = 0

  const reading = createSingleFlight(async () => {
    try {
      keys = toKeys(await load(AbortSignal.timeout(timeout)))
      freshUntil = now() + maxAge * 1000
    } catch (error) {
      onError(error as Error)
    } finally {
      // Not before the end: until then, further signatures wait for the reading that is under way.
      restsUntil = now() + cooldown * 1000
    }
  })

  async function refresh (): Promise<void> {
    if (now() >= restsUntil) await reading.poll()
  }

  return {
    current () {
      // The signature at hand does not wait: a server of keys that hangs must not keep clients out.
      if (now() >= freshUntil) refresh().catch(() => {})
      return keys
    },
    refresh
  }
}

type Load = (signal: AbortSignal) => Promise<string>

function readLocation ({ url, file }: JwksOptions): Load {
  if ((url === undefined) === (file === undefined)) {
    throw new TypeError('the options of jwksKeys must name one of "url" and "file"')
  }
  if (file !== undefined) return async (signal) => await readFile(file, { encoding: 'utf8', signal })
  if (!isTrustworthy(url)) {
    throw new TypeError('"url" option of jwksKeys must be an https:// URL, or an http:// URL of this machine')
  }
  return async (signal) => await download(url, signal)
}

// An answer without TLS could be replaced on its way by anybody's keys.
function isTrustworthy (url: string | undefined): url is string {
  if (url === undefined || !URL.canParse(url)) return false
  const parsed = new URL(url)
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopbackUrl(parsed))
}

async function download (url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, redirect: 'error' })
  if (!response.ok) throw new Error(`the JWK Set was answered with status ${response.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw new Error(`the JWK Set is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Takes the Ed25519 keys, and ignores keys of other kinds, which a set may hold for other readers. */
function toKeys (text: string): readonly PublicKey[] {
  const { keys: entries } = parse(text)
  if (!Array.isArray(entries)) throw new Error('the JWK Set has no list "keys"')
  const keys = entries.filter(isEd25519).map((jwk): PublicKey => {
    if ('d' in jwk) throw new Error('the JWK Set holds a private key: nodes need the public ones only')
    return { id: String(jwk.kid), publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
  })
  if (keys.length === 0) throw new Error('the JWK Set holds no Ed25519 key with a "kid"')
  readKeys(keys, false)
  return keys
}

function parse (text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    // The parser's own message quotes the text.
    throw new Error('the JWK Set is not JSON')
  }
}

function isEd25519 (jwk: Record<string, unknown> | null): jwk is Record<string, unknown> {
  return jwk?.kty === 'OKP' && jwk.crv === 'Ed25519' && typeof jwk.kid === 'string' && jwk.use !== 'enc'
}

/**
 * The JWK Set of these keys, for nodes with `jwksKeys`. Public halves only; secrets are left out.
 *
 * @throws TypeError that names the key and the rule
 */
export function publicJwks (keys: readonly SigningKey[]): PublicJwks {
  return {
    keys: readKeys(keys, false).flatMap(({ id: kid, material }) => 'export' in material
      ? [{ kty: 'OKP', crv: 'Ed25519', x: String(material.export({ format: 'jwk' }).x), kid, alg: 'EdDSA', use: 'sig' }]
      : [])
  }
}
