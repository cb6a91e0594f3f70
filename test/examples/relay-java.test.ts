import { readdirSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { buildJava } from './build-java.js'
import { onRedis } from './foreign-stores.js'
import { testForeignNode } from './foreign-tests.js'

const folder = 'relay-java'

/** Compiled once for all tests. */
let built: Promise<string[]> | undefined

testForeignNode({
  store: onRedis,
  folder,
  ending: '.java',
  needs: 'javac',
  program: 'java',
  async build () {
    const files = readdirSync(`${ROOT}examples/${folder}`).filter((name) => name.endsWith('.java'))
    built ??= buildJava(folder, files, t.testdir())
    return await built
  }
})
