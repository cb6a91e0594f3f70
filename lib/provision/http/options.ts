import { X509Certificate } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption } from '../../common/check-options.js'
import { JSON_POINTER } from './pick.js'
import type { HttpProvisionOptions } from '../../../types/provision.js'

const Pem = [Type.String(), Type.Uint8Array()]
const OptionsSchema = Type.Object({
  url: Type.String({ description: 'an http:// or https:// URL' }),
  pick: Type.Optional(Type.Union([Type.String({ pattern: JSON_POINTER }), FunctionOption('a function')], {
    description: 'a JSON pointer such as /data/address, or a function (answer) => address'
  })),
  headers: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), FunctionOption('a function')], {
    description: 'an object of header lines, or a function that makes one'
  })),
  ca: Type.Optional(Type.Union([...Pem, Type.Array(Type.Union(Pem))], { description: 'certificates in PEM' })),
  timeout: Type.Optional(Type.Integer({
    minimum: 1, maximum: 60_000, description: 'an integer of at least 1 and at most 60000, in milliseconds'
  })),
  ttl: Type.Optional(Type.Number({
    exclusiveMinimum: 0, maximum: 86_400, description: 'a number above 0 and at most 86400, in seconds'
  })),
  onOutage: Type.Optional(Type.Union(['stale', 'omit', 'fail'].map((policy) => Type.Literal(policy)), {
    description: '"stale", "omit" or "fail"'
  }))
}, { additionalProperties: false })

type Headers = NonNullable<HttpProvisionOptions['headers']>

/** Checked and complete. The caller's own object stays unchanged. */
export interface HttpProvisionSettings {
  url: string
  pick: NonNullable<HttpProvisionOptions['pick']>
  headers: Headers
  ca: Buffer[] | undefined
  timeout: number
  ttl: number
  onOutage: NonNullable<HttpProvisionOptions['onOutage']>
}

/** @throws TypeError that names the option and the rule */
export function readHttpOptions (options: HttpProvisionOptions): HttpProvisionSettings {
  checkOptions('httpProvision', OptionsSchema, options)
  const { url, pick = '/data/address', headers = {}, ca, timeout = 800, ttl = 30, onOutage = 'stale' } = options
  return { url, pick, headers: readHeaders(headers), ca: readCertificates(ca), timeout, ttl, onOutage }
}

function readHeaders (headers: Headers): Headers {
  if (typeof headers === 'function') return headers
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    }
  } catch {
    throw new TypeError('"headers" option of httpProvision must be well-formed header lines')
  }
  return { ...headers }
}

// Node.js ignores text that holds no certificate, and every exchange would fail.
function readCertificates (ca: HttpProvisionOptions['ca']): Buffer[] | undefined {
  if (ca === undefined) return undefined
  const files = [ca].flat().map((pem) => Buffer.from(pem))
  const areCertificates = files.every((pem) => {
    try {
      return new X509Certificate(pem).subject !== ''
    } catch {
      return false
    }
  })
  if (!areCertificates) throw new TypeError('"ca" option of httpProvision must be certificates in PEM')
  return files
}
