/** Lays rows out in columns, under their titles. The last column may be of any length. */
export function toTable (titles: string[], rows: string[][]): string {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const toLine = (row: string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()
  return [titles, ...rows].map((row) => `${toLine(row)}\n`).join('')
}

/** Text of a store for a terminal: control characters of it could move the cursor, or change the colours. */
export function toPrintable (text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
}

/** A time for people: `0.4 s`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function toAge (ms: number): string {
  for (const [unit, length] of [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000]] as const) {
    if (ms >= 2 * length) return `${Math.floor(ms / length)} ${unit}`
  }
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 1000)} s`
}
