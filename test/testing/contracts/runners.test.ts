import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CONTRACT_DEFAULTS } from '../../../lib/testing/contracts/options.js'
import { memorySessions } from '../../../lib/sessions/memory.js'
import { sessionsContract } from '../../../lib/testing/index.js'
import { ROOT } from '../../support/doc-blocks.js'
import type { ContractOptions } from '../../../types/contracts.js'

const PROGRAM = fileURLToPath(new URL('own-registry.mjs', import.meta.url))

/** A runner inside a runner is told by the environment that it is one. */
const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...env } = process.env

async function runByNodeTest (...args: string[]): Promise<{ code: unknown, output: string }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--test-reporter=tap', PROGRAM, ...args], { env }, (error, output) => {
      resolve({ code: error?.code ?? 0, output })
    })
  })
}

t.jobs = 2

t.test('adapters of the built package – node:test – keep their contracts', async (t) => {
  const { code, output } = await runByNodeTest()
  t.equal(code, 0, output.slice(-2000))
  t.match(output, /^# fail 0$/m)
  t.match(output, /ok \d+ - assign – a room that has a live node – names the same node$/m)
  const [, passed] = /^# pass (\d+)$/m.exec(output) ?? []
  t.ok(Number(passed) > 80, `${passed} sentences`)
})

t.test('a broken adapter – node:test – fails with the sentences that it breaks', async (t) => {
  const { code, output } = await runByNodeTest('--broken')
  t.equal(code, 1)
  const failed = [...output.matchAll(/^ {4}not ok \d+ - (.+)$/gm)].map(([, name = '']) => name)
  t.ok(failed.includes('accepts – a node that is not accepted – gets no new rooms'), failed.join('\n'))
  t.notOk(failed.includes('assign – a room that has a live node – names the same node'))
  t.match(output, /accepts – no node is accepted – rejects with NoLiveNodeError\n\s+instead: resolved to \{ node: /)
})

t.test('a runner with the shape of vitest – gets functions without parameters', async (t) => {
  const registered: Array<[name: string, parameters: number]> = []
  // vitest takes a function with a parameter for one that wants its context, and tells nothing.
  const test = (name: string, run: () => Promise<void>) => { registered.push([name, run.length]) }
  const sessions = memorySessions()
  await sessionsContract({ test }, () => ({ sessions, issue: sessions.issue, revoke: sessions.revoke }))
  t.ok(registered.length > 10)
  for (const [name, parameters] of registered) t.equal(parameters, 0, name)
  t.equal(new Set(registered.map(([name]) => name)).size, registered.length, 'each name is there once')
})

t.test('docs/adapters.md and the types – the defaults of the contracts – are those of the source', async (t) => {
  const section = readFileSync(`${ROOT}docs/adapters.md`, 'utf8').split('### Does it keep the contract?')[1] ?? ''
  const inTable = [...section.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, name, value]) => [name, value])
  const types = readFileSync(`${ROOT}types/contracts.ts`, 'utf8')
  const inTypes = [...types.matchAll(/@default (\w+)\n\s+\*\/\n\s+(\w+)\?/g)].map(([, value, name]) => [name, value])
  const expected = Object.entries(CONTRACT_DEFAULTS).map(([name, value]) => [name, String(value)])
  t.strictSame(inTable, expected)
  t.strictSame(inTypes.sort(), expected.sort())
})

t.test('a contract – wrong options – names the option', async (t) => {
  const test = () => {}
  const wrong: Array<[options: object, message: string]> = [
    [{}, '"test" option of sessionsContract must be a function (name, run)'],
    [{ test, patience: 0 }, '"patience" option of sessionsContract must be an integer of at least 1, in milliseconds'],
    [{ test, linger: 1 }, '"linger" is not an option of sessionsContract; it takes test, patience']
  ]
  for (const [options, message] of wrong) {
    // A program without types may pass anything.
    await t.rejects(sessionsContract(options as ContractOptions, () => assert.fail()), { name: 'TypeError', message })
  }
})
