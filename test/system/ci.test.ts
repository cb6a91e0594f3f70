import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { ROOT } from '../support/doc-blocks.js'

interface Step {
  run?: string
  uses?: string
  with?: Record<string, unknown>
}

interface Workflow {
  permissions?: unknown
  jobs: Record<string, { permissions?: unknown, 'timeout-minutes'?: number, steps: Step[] }>
}

const FOLDER = '.github/workflows/'
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> }
const workflows = readdirSync(ROOT + FOLDER)
  .map((file): [string, Workflow] => [file, parse(readFileSync(ROOT + FOLDER + file, 'utf8'))])

t.test('workflows – each job – may read the repository, and nothing else', async (t) => {
  t.ok(workflows.length > 0)
  for (const [file, { permissions, jobs }] of workflows) {
    t.strictSame(permissions, { contents: 'read' }, file)
    for (const [name, job] of Object.entries(jobs)) {
      t.equal(job.permissions, undefined, `${file}: ${name} has no permissions of its own`)
      t.ok(job['timeout-minutes'], `${file}: ${name} ends`)
      for (const { uses = '', with: inputs } of job.steps) {
        if (uses.startsWith('actions/checkout@')) t.equal(inputs?.['persist-credentials'], false, `${file}: ${name}`)
      }
    }
  }
})

t.test('workflows – actions of others – are pinned by commit', async (t) => {
  const steps = workflows.flatMap(([, { jobs }]) => Object.values(jobs).flatMap((job) => job.steps))
  for (const { uses } of steps) if (uses !== undefined) t.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
})

t.test('workflows – commands of npm – are there, and install no script', async (t) => {
  for (const [file, { jobs }] of workflows) {
    const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run = '' }) => run.split('\n')))
    for (const command of commands.filter((line) => line.startsWith('npm '))) {
      const [, verb = '', script = ''] = command.split(' ')
      if (verb === 'ci') t.match(command, '--ignore-scripts', file)
      else t.ok((verb === 'run' ? script : verb) in scripts, `${file}: ${command}`)
    }
  }
})
