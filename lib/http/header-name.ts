/**
 * Whether a header line has this name. A comparison of the lengths spares most names a copy in lower case.
 *
 * @param wanted in lower case
 */
export function isNamed (name: string, wanted: string): boolean {
  return name.length === wanted.length && name.toLowerCase() === wanted
}
