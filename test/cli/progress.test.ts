import t from 'tap'
import { createProgress, createWaiting } from '../../lib/cli/progress.js'

function outputOf (isTTY: boolean) {
  const written: string[] = []
  return { written, output: { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 } }
}

t.test('progress – on a terminal – is a bar that is drawn over itself', async (t) => {
  const { written, output } = outputOf(true)
  const progress = createProgress(output)
  for (const left of [4, 4, 2]) progress.show(left)
  progress.end('n1 is empty')
  t.strictSame(written, [
    `\r[${'.'.repeat(30)}] 4 of 4 rooms left `, `\r[${'#'.repeat(15)}${'.'.repeat(15)}] 2 of 4 rooms left `, '\nn1 is empty\n'
  ])
})

t.test('waiting – on a terminal – shows the seconds, and elsewhere one line', async (t) => {
  for (const [isTTY, expected] of [
    [true, ['\rwaiting: 0 s ', '\rwaiting: 1 s ', '\n']],
    [false, ['waiting\n']]
  ] as const) {
    const { written, output } = outputOf(isTTY)
    const waiting = createWaiting(output, 'waiting')
    for (const seconds of [0, 0, 1]) waiting.show(seconds)
    waiting.end()
    t.strictSame(written, expected)
  }
  const { written, output } = outputOf(true)
  createWaiting(output, 'waiting').end()
  t.strictSame(written, [], 'nothing was waited for')
})
