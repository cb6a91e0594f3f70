import { readdirSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { buildJava } from './build-java.js'
import { onRedis } from './foreign-stores.js'
import type { ForeignNode } from './foreign-node.js'

const folder = 'relay-java'

/** Compiled once for all tests of a file. */
let built: Promise<string[]> | undefined

export const javaOnRedis: ForeignNode = {
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
}
