const MAX_NAMES = 5

/** The first ids, and how many more there are. */
export function toNames (nodes: ReadonlyArray<{ id: string }>): string {
  const names = nodes.slice(0, MAX_NAMES).map(({ id }) => id).join(', ')
  return nodes.length > MAX_NAMES ? `${names} and ${nodes.length - MAX_NAMES} more` : names
}
