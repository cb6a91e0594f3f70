import { readFileSync } from 'node:fs'
import t from 'tap'
import { MAX_CHARACTERS } from '../../lib/recorder/capture.js'
import { PART_CHARACTERS } from '../../lib/recorder/parts.js'
import { ROOT } from '../support/doc-blocks.js'
import { PRIVATE_PARTS } from './private-parts.js'

const read = (path: string) => readFileSync(ROOT + path, 'utf8')
const page = read('docs/browser.md')
const types = read('types/recorder.ts')

/** Rows of the table that begins with this line, as cells. */
function rowsBelow (head: string): string[][] {
  const [, table = ''] = page.split(`\n${head}\n`)
  const rows = table.split('\n\n')[0]?.split('\n').slice(1) ?? []
  return rows.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
}

/** Members of an interface with their defaults. */
function membersOf (name: string): string[][] {
  const body = types.split(`interface ${name} {`)[1]?.split('\n}')[0] ?? ''
  return [...body.matchAll(/(?:@default (\S+)\n\s+\*\/\n\s+|^ {2})(\w+)(\??):/gm)].map(([, value, member = '', optional]) =>
    [member, value === undefined ? optional === '?' ? '' : 'mandatory' : `\`${value}\``])
}

t.test('docs/browser.md – the options of the recorder – are those of the types', async (t) => {
  const rows = rowsBelow('| option | default | meaning |').map(([name = '', value = '']) => [name.replaceAll('`', ''), value])
  t.strictSame(rows, membersOf('RecorderOptions'))
})

t.test('docs/browser.md – the events of the recorder – are those of the types', async (t) => {
  const rows = rowsBelow('| event | argument | when |').map(([name = '']) => name.replaceAll('`', ''))
  t.strictSame(rows, membersOf('RecorderEvents').map(([name]) => name))
})

t.test('docs/browser.md – the table of private parts – names each test, and no other', async (t) => {
  const rows = rowsBelow('| never leaves the page | tested |').map(([, title]) => title)
  t.strictSame(rows, PRIVATE_PARTS.map(({ title }) => title))
})

t.test('docs/browser.md – the sizes on the wire – are those of the source', async (t) => {
  t.match(page, `at most ${PART_CHARACTERS / 1024} Ki characters, at most ${3 * PART_CHARACTERS / 1024} KiB of UTF-8`)
  t.match(page, `One event has\nat most ${MAX_CHARACTERS / 1024 / 1024} Mi characters`)
  t.match(page, `A page of more than ${MAX_CHARACTERS / 1024 / 1024} Mi characters`)
})
