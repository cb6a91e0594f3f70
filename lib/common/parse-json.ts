import secureJson from 'secure-json-parse'

/**
 * Parses JSON, and refuses members that would change the prototype of an object that they are copied to. The search for
 * them takes longer than the parse, so it is left out for text that cannot contain any.
 *
 * @throws SyntaxError
 */
export function parseJson (text: string): unknown {
  return isSuspect(text)
    ? secureJson.parse(text, null, { protoAction: 'error', constructorAction: 'error' })
    : JSON.parse(text)
}

/** An escape sequence may stand for any letter; a byte order mark is removed by the careful parser only. */
function isSuspect (text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\') || text.startsWith('\uFEFF')
}
