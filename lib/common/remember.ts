/** Longer texts are not worth their memory. */
const MAX_LENGTH = 256

/**
 * Remembers the results of a pure function of a text. Forgets all of them at once when there are too many, which costs
 * one more calculation each.
 *
 * @param max entries
 */
export function remember<Result> (calculate: (text: string) => Result, max: number): (text: string) => Result {
  const known = new Map<string, Result>()
  return (text) => {
    if (text.length > MAX_LENGTH) return calculate(text)
    const held = known.get(text)
    // A known `undefined` is a result as well.
    if (held !== undefined || known.has(text)) return held as Result
    const result = calculate(text)
    if (known.size >= max) known.clear()
    known.set(text, result)
    return result
  }
}
