import { readFileSync } from 'node:fs'
import t from 'tap'
import { MAX_DEPTH } from '../../lib/replayer/guard/parse.js'
import { MAX_NODES } from '../../lib/replayer/guard/nodes.js'
import { MAX_EVENT_CHARACTERS } from '../../lib/replayer/parts.js'
import { ROOT } from '../support/doc-blocks.js'

const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8')
const [, text = ''] = read('docs/browser.md').split('\n## The replayer\n')
const types = read('types/replayer.ts')

/** First cells of the table whose first column has this heading. */
function namesBelow (heading: string): string[] {
  const rows = text.split(`| ${heading} | `)[1]?.split('\n\n')[0]?.split('\n').slice(2) ?? []
  return rows.map((row) => row.split('|')[1]?.trim().replace(/^`|`$/g, '') ?? '')
}

const membersOf = (name: string) =>
  [...(types.split(`interface ${name} {`)[1]?.split('\n}')[0] ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map(([, member]) => member)

t.test('the tables of the replayer – options, events and limits – equal the types and the code', async (t) => {
  t.strictSame(namesBelow('option').sort(), membersOf('ReplayerOptions').sort())
  t.strictSame(namesBelow('event').sort(), membersOf('ReplayerEvents').sort())
  const states = [.../type ReplayerState = (.*)/.exec(types)?.[1]?.matchAll(/'(\w+)'/g) ?? []].map(([, state]) => state)
  const documented = text.split('* `state`: ')[1]?.split('\n* ')[0] ?? ''
  for (const state of states) t.match(documented, `\`${state}\``)
  t.match(text, `nodes of a page | ${MAX_NODES.toLocaleString('en')} |`)
  t.match(text, `levels of a page | ${MAX_DEPTH} |`)
  t.match(text, `parts together | ${MAX_EVENT_CHARACTERS / 1024 / 1024} Mi |`)
  t.match(text, `\`title\` | \`${/@default (.*)/.exec(types)?.[1]}\` |`)
})
