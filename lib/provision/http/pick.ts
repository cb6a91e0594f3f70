/** RFC 6901, section 3. */
export const JSON_POINTER = '^(/([^~/]|~[01])*)*$'

/** @returns the value that the pointer names in a document, `undefined` if there is none */
export function pointTo (pointer: string): (document: unknown) => unknown {
  const tokens = pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  return (document) => tokens.reduce(step, document)
}

function step (value: unknown, token: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  // Section 4: an array has indices without leading zeros, and no "length".
  if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(token)) return undefined
  // Own properties only: an inherited one, such as `toString`, is not part of the document.
  return Object.hasOwn(value, token) ? (value as Record<string, unknown>)[token] : undefined
}
