// Draws the results as bars.
const BAR = 18
const GAP = 8
const LEFT = 320
const WIDTH = 760
const COLORS = { known: '#2563eb', new: '#0891b2', mix: '#7c3aed' }

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/**
 * @param rows name, mode and share of a bare route, each a bar
 * @param machine where they were measured
 * @returns SVG
 */
export function drawChart (rows, machine) {
  const height = 64 + rows.length * (BAR + GAP)
  const most = Math.max(...rows.map(({ share }) => share))
  const bars = rows.map(({ name, mode, share }, at) => {
    const y = 40 + at * (BAR + GAP)
    const width = Math.round((WIDTH - LEFT - 60) * share / most)
    return `  <text x="${LEFT - 10}" y="${y + 13}" text-anchor="end">${escape(name)}, ${mode}</text>
  <rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${COLORS[mode]}"/>
  <text x="${LEFT + width + 8}" y="${y + 13}">${share.toFixed(2)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="13">
  <title>Requests per CPU second, as a share of a bare Fastify route</title>
  <rect width="100%" height="100%" fill="#fff"/>
  <text x="10" y="22" font-weight="bold">Requests per CPU second, as a share of a bare Fastify route</text>
${bars.join('\n')}
  <text x="10" y="${height - 8}" fill="#555" font-size="11">${escape(machine)} · npm run bench</text>
</svg>
`
}
