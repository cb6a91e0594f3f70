import { readFileSync } from 'node:fs'
import { createIssuer } from '../../signing/issue.js'
import { readSigning } from '../../signing/options.js'
import { verifyWith } from '../../signing/verify.js'
import { UsageError } from '../exit.js'
import { environment } from '../store.js'
import { fault, notChecked, ok } from './finding.js'
import type { Finding } from './finding.js'
import type { PrivateKey, SecretKey } from '../../../types/signature.js'

export type GatewayKey = SecretKey | PrivateKey

const NODE = { id: 'doctor', incarnation: 'doctor' }
/** The beginning of a message about a key. */
const OPTION = /^"(?:signing\.)?keys\.0\.(\w+)" option(?: of signing)?/
const SUBJECT = { tenant: 'doctor', room: 'doctor', user: 'doctor', name: 'doctor', role: 'recorder' } as const
/** The options of the library have other names than the arguments. */
const ARGUMENTS: Record<string, string> = {
  id: '--key-id', secret: 'the key in COBROWSE_KEY', privateKey: 'the key in --private-key'
}

/**
 * The key of a gateway. A secret among the arguments could be read by any user of the machine.
 *
 * @returns undefined if none is given
 * @throws UsageError
 */
export function readKey (values: { 'key-id'?: string, 'private-key'?: string }): GatewayKey | undefined {
  const id = values['key-id'] ?? environment('COBROWSE_KEY_ID') ?? 'doctor'
  const file = values['private-key']
  if (file !== undefined) return { id, privateKey: readPem(file) }
  const secret = environment('COBROWSE_KEY')
  if (secret === undefined && values['key-id'] !== undefined) {
    throw new UsageError('--key-id needs the key, in the environment variable COBROWSE_KEY or by --private-key FILE')
  }
  return secret === undefined ? undefined : { id, secret }
}

function readPem (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--private-key cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** Signs with the key as a gateway does, and verifies as a node does. */
export async function checkKey (key: GatewayKey | undefined): Promise<Finding> {
  if (key === undefined) return notChecked('signing key', 'set COBROWSE_KEY, or give --private-key FILE')
  let signing
  try {
    signing = readSigning({ keys: [key] }, true)
  } catch (error) {
    const rule = (error as TypeError).message
      .replace(OPTION, (text, name: string) => ARGUMENTS[name] ?? text)
    return fault('signing key', rule, 'give the key of the gateways; a new one: openssl rand -base64 32')
  }
  const signature = createIssuer(signing)({ ...SUBJECT, node: NODE, issuedAt: Date.now() })
  await verifyWith(signing.keys, signature, { node: NODE })
  return ok('signing key', `${key.id} signs, and its signature verifies (${signing.keys.first().algorithm})`)
}
