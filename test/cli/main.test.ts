import t from 'tap'
import { load } from '../../lib/cli/load.js'
import { runCli } from './run-cli.js'

t.test('the command – without a verb, or with a wrong one – says which there are', async (t) => {
  t.match(await runCli(['--help']), { code: 0, out: /check-node {2}checks a relay node/, errors: '' })
  t.match(await runCli([]), { code: 2, out: /^Usage: fastify-cobrowse <verb>/ })
  t.match(await runCli(['toString']), { code: 2, out: '', errors: 'fastify-cobrowse: there is no verb "toString"; it is one of nodes, rooms, watch, explain, cordon, uncordon, drain, undrain, move, end, doctor, check-node\n' })
  t.match(await runCli(['check-node', '--help']), { code: 0, out: /Exit codes: 0 all rules kept/ })
})

t.test('a package that is missing – is asked for in words', async (t) => {
  const missing = load('a-missing-package', async () => await import('a-missing-package' as string))
  await t.rejects(missing, { message: /needs the package "a-missing-package": run npm install a-missing-package/ })
  const broken = load('broken', async () => { throw new Error('as it is') })
  await t.rejects(broken, { message: 'as it is' })
})
