import type { FastifySchema } from 'fastify'
import type { RouteSchema } from './openapi.js'
import type { CobrowseOptions } from '../../types/options.js'

type RouteOptions = NonNullable<CobrowseOptions['routeOptions']>

const ADDRESS = 'use the options "path", "releasePath" and "prefix"'
const FORM = 'every answer has the form { retCode, retMsg }'
const CHECKED = 'only a body that was checked by the plugin is answered'
const IN_A_HOOK = 'check this part in a hook, such as "routeOptions.preValidation"'

/** Route options of Fastify that only the plugin sets, with the reason. docs/route-options.md lists them all. */
export const REFUSED = new Map([
  ['method', 'both routes take POST'],
  ['url', ADDRESS],
  ['path', ADDRESS],
  ['handler', 'the plugin answers'],
  ['bodyLimit', 'a body holds 4096 bytes at most'],
  ['errorHandler', FORM],
  ['serializerCompiler', FORM],
  ['schemaErrorFormatter', FORM],
  ['attachValidation', CHECKED],
  ['validatorCompiler', CHECKED]
])

/** The same for `routeOptions.schema`. */
export const REFUSED_IN_SCHEMA = new Map([
  ['body', CHECKED],
  ['headers', IN_A_HOOK],
  ['params', IN_A_HOOK],
  ['query', IN_A_HOOK],
  ['querystring', IN_A_HOOK]
])

/** @throws TypeError that names the option and the alternative */
export function checkRouteOptions (options: RouteOptions = {}): void {
  refuse('routeOptions', options, REFUSED)
  refuse('routeOptions.schema', options.schema ?? {}, REFUSED_IN_SCHEMA)
}

function refuse (of: string, options: object, refused: Map<string, string>): void {
  for (const [name, value] of Object.entries(options)) {
    const reason = refused.get(name)
    if (value !== undefined && reason !== undefined) {
      throw new TypeError(`"${of}.${name}" option cannot be set: ${reason}`)
    }
  }
}

/** A copy, since Fastify's plugins push their hooks into the lists that they find. */
export function copyRouteOptions (options: RouteOptions = {}): RouteOptions {
  const entries = Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value])
  // The type of `Object.fromEntries` loses the names.
  return Object.fromEntries(entries) as RouteOptions
}

/** The host may describe the routes in its own words. The plugin defines their input and output. */
export function mergeSchema (ofHost: RouteOptions['schema'], own: RouteSchema): FastifySchema {
  const { operationId, body, response } = own
  return { ...own, ...ofHost, operationId, body, response: { ...toObject(ofHost?.response), ...toObject(response) } }
}

function toObject (value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
