import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { buildJava } from './build-java.js'
import { onZooKeeper } from './foreign-stores.js'
import type { ForeignNode } from './foreign-node.js'

const folder = 'relay-java-zookeeper'
const JARS = ['curator-framework', 'curator-client', 'zookeeper', 'slf4j-nop']
  .map((name) => `/usr/share/java/${name}.jar`)
const SHARED = ['Relay', 'WebSocket', 'Signature', 'Refused'].map((name) => `../relay-java/${name}.java`)

const withoutCurator = existsSync(JARS[0] ?? '') || process.env.CI === 'true' ? false : 'curator is not installed'

/** Compiled once for all tests of a file. */
let built: Promise<string[]> | undefined

async function build (): Promise<string[]> {
  const own = readdirSync(`${ROOT}examples/${folder}`).filter((name) => name.endsWith('.java'))
  return await buildJava(folder, [...SHARED, ...own], t.testdir(), JARS)
}

export const javaOnZooKeeper: ForeignNode = {
  folder,
  ending: '.java',
  needs: 'javac',
  program: 'java',
  store: onZooKeeper,
  without: withoutCurator,
  async build () {
    built ??= build()
    return await built
  }
}
