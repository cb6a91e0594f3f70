// Fills the cache of test/support/typescript.mjs, so that no test file has to load the compiler.
import { readdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { root } from '../../.ci/prepare.mjs'
import { load } from '../support/typescript-hooks.mjs'

const FOLDERS = ['demo', 'lib', 'test', 'types']

for (const folder of FOLDERS) {
  for (const path of readdirSync(root + folder, { recursive: true })) {
    if (/(?<!\.d|\.tst)\.ts$/.test(path)) await load(pathToFileURL(`${root}${folder}/${path}`).href)
  }
}
