import { readFileSync } from 'node:fs'
import { run } from './run.js'
import type { World } from './world.js'

function tell (world: World, step: string): void {
  const clients = world.clients.map(({ key, role, state, relay }) => `${key.room} ${role.slice(0, 3)} ${state} ${relay?.id ?? ''}`)
  const relays = world.relays.map(({ id, node, process, link, isAtFault }) =>
    `${id} ${node?.status().state ?? 'down'}${process.isPaused ? ' paused' : ''}${link.isCut ? ' cut' : ''}${isAtFault ? ' at fault' : ''}`)
  console.log(`${world.timeline.now % 10_000_000} ${step}\n    ${clients.join(' · ')}\n    ${relays.join(' · ')}${world.store.isAway ? ' · store away' : ''}`)
  if (process.env.STORE !== undefined) world.judge.told = (what) => console.log(`      ${what()}`)
  for (const broken of world.judge.broken) console.log(`    BROKEN ${broken}`)
}

// Prints a failed plan step by step, and with STORE=yes the actions of the store:
//
//   node --import=./test/support/typescript.mjs test/proofs/simulation/replay.ts plan.json
await run(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')), { tell })
