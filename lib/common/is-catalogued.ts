import * as errors from '../errors.js'

const CODE = /^FST_COBROWSE_\d{5}$/
const CATALOGUE = Object.values(errors)

/** Whether the error is one of the catalogue, rather than an error of the host with a similar code. */
export function isCatalogued (error: unknown): error is Error & { code: string } {
  return CATALOGUE.some((Catalogued) => error instanceof Catalogued && CODE.test(error.code))
}
