// Runs the files that TEST_FILES names one after the other, each as a test of this process. The files are no arguments,
// since tap makes arguments part of the names of its folders.
import { register } from 'node:module'
import t from 'tap'
import { root } from '../../../.ci/prepare.mjs'
import { current } from './current.mjs'

register('./hooks.mjs', import.meta.url)

const environment = { ...process.env }

for (const file of (process.env.TEST_FILES ?? '').split(' ')) {
  await t.test(file, async (t) => {
    current.t = t
    t.teardown(restoreEnvironment)
    await import(new URL(file, `file://${root}`))
  })
}

function restoreEnvironment () {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
}
