import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readBlocks, ROOT } from '../support/doc-blocks.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { skipWithout } from '../support/skip-reason.js'
import { startDemo } from '../support/start-demo.js'
import { eventually } from '../support/until.js'

const execute = promisify(execFile)
const blocks = readBlocks('docs/runbook.md')
const runnable = blocks.filter(({ exempt }) => exempt === 'test/monitoring/runbook.test.ts runs it')

t.test('commands of the runbook – pasted into a shell – succeed on a running gateway', {
  skip: withoutRedis || skipWithout('curl') || skipWithout('redis-cli')
}, async (t) => {
  t.ok(runnable.length > 10)
  const redis = await startRedis(t)
  const { base } = await startDemo(t, { REDIS_URL: redis.url })
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-runbook-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'log'), '{"msg":"a line"}\n')
  const { NODE_OPTIONS, ...inherited } = process.env
  const env = { ...inherited, GATEWAY: base, NODE: base, REDIS_URL: redis.url, LOG: `cat ${folder}/log` }
  const show = async () => await (await fetch(`${base}/metrics`)).text()
  await eventually(show, /^cobrowse_nodes\{state="serving"\} 2$/m)

  for (const { place, code } of runnable) {
    const { stdout, stderr } = await execute('bash', ['-eo', 'pipefail', '-c', code], { env })
    t.equal(stderr, '', place)
    t.ok(stdout !== '' || code.startsWith('$LOG'), `${place} shows something`)
  }
})

t.test('texts that the runbook looks for in the log – in the sources – exist', async (t) => {
  const files = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const sources = files.map((name) => readFileSync(`${ROOT}lib/${name}`, 'utf8')).join('\n')
  const patterns = blocks.flatMap(({ code }) => [...code.matchAll(/^\$LOG \| grep (?:-E )?'([^']+)'/gm)].map(([, pattern = '']) => pattern))
  t.ok(patterns.length > 3)
  for (const text of patterns.flatMap((pattern) => pattern.split('|'))) {
    // The outcome is the end of the line of a request.
    const written = text.replace(/(?<=^co-browsing request )\w+$/, '').replace(/^"retCode":"(\d+)"$/, "'$1'")
    t.ok(sources.includes(written), text)
  }
})
