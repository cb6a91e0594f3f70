import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { MUTATIONS } from './mutations.mjs'

const inProject = (path: string) => new URL(`../../../${path}`, import.meta.url)

t.test('each entry of the table – its text occurs once in its file – and its test files exist', async (t) => {
  for (const { name, also, tests, ...change } of MUTATIONS) {
    for (const { file, find } of also === undefined ? [change] : [change, also]) {
      t.equal(readFileSync(inProject(file), 'utf8').split(find).length - 1, 1, `${name}: ${find}`)
    }
    for (const test of tests) t.ok(existsSync(inProject(test)), test)
  }
})
