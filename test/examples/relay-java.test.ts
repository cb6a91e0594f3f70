import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { ROOT } from '../support/doc-blocks.js'
import { onRedis, testForeignNode } from './foreign-node.js'

const execute = promisify(execFile)
const folder = 'relay-java'

testForeignNode({
  store: onRedis,
  folder,
  ending: '.java',
  needs: 'javac',
  program: 'java',
  async build (t) {
    const classes = t.testdir()
    const cwd = `${ROOT}examples/${folder}`
    await execute('javac', ['-d', classes, ...readdirSync(cwd).filter((name) => name.endsWith('.java'))], { cwd })
    return ['-cp', classes, 'Relay']
  }
})
