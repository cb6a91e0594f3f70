import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT } from '../support/doc-blocks.js'
import { onZooKeeper } from './foreign-node.js'
import type { ForeignNode } from './foreign-node.js'

const execute = promisify(execFile)
const JARS = ['curator-framework', 'curator-client', 'zookeeper', 'slf4j-nop']
  .map((name) => `/usr/share/java/${name}.jar`)
const SHARED = ['Relay', 'WebSocket', 'Signature', 'Refused'].map((name) => `../relay-java/${name}.java`)

const withoutCurator = existsSync(JARS[0] ?? '') || process.env.CI === 'true' ? false : 'curator is not installed'

/** Compiled once for all tests of a file. */
let built: Promise<string[]> | undefined

async function build (): Promise<string[]> {
  const classes = t.testdir()
  const cwd = `${ROOT}examples/relay-java-zookeeper`
  const own = readdirSync(cwd).filter((name) => name.endsWith('.java'))
  await execute('javac', ['-d', classes, '-cp', JARS.join(':'), ...SHARED, ...own], { cwd })
  return ['-cp', [classes, ...JARS].join(':'), 'Relay']
}

export const javaOnZooKeeper: ForeignNode = {
  folder: 'relay-java-zookeeper',
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
