// Writes the scripts of a relay node as files, for nodes in other languages:
//   npm run build && node docs/node-contract/generate.mjs
import { writeFileSync } from 'node:fs'
import * as scripts from '../../dist/lib/registry/redis/scripts/node.js'

for (const [name, { text }] of Object.entries(scripts)) {
  writeFileSync(new URL(`${name.toLowerCase().replaceAll('_', '-')}.lua`, import.meta.url), text)
}
