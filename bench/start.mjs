// `npm run bench` installs and builds missing parts, then measures the gateway, or with `-- relay` the relay node.
import { existsSync } from 'node:fs'
import { prepare, root, run } from '../.ci/prepare.mjs'

prepare()
if (!existsSync(`${root}bench/node_modules`)) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: `${root}bench` })
}
await import(process.argv[2] === 'relay' ? './relay/compare.mjs' : './compare.mjs')
