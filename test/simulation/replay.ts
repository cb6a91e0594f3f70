import { readFileSync } from 'node:fs'
import { execute, healAll, secondsToMeet } from './commands.js'
import { World } from './world.js'
import type { Plan } from './run.js'

// Tells a plan that failed, step by step: node --import=… replay.ts plan.json
const { nodes, gateways, rooms, commands, staysCut }: Plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const world = new World({ nodes, gateways, rooms })
const tell = (what: string) => {
  const clients = world.clients.map(({ key, role, state, relay }) => `${key.room} ${role.slice(0, 3)} ${state} ${relay?.id ?? ''}`)
  const relays = world.relays.map(({ id, node, process, link, isAtFault }) =>
    `${id} ${node?.status().state ?? 'down'}${process.isPaused ? ' paused' : ''}${link.isCut ? ' cut' : ''}${isAtFault ? ' at fault' : ''}`)
  console.log(`${world.timeline.now % 10_000_000} ${what}\n    ${clients.join(' · ')}\n    ${relays.join(' · ')}${world.redis.isAway ? ' · store away' : ''}`)
  for (const broken of world.judge.broken.splice(0)) console.log(`    BROKEN ${broken}`)
}
if (process.env.SCRIPTS !== undefined) {
  const sees = world.redis.onRun
  world.redis.onRun = (name, keys, args, reply) => {
    sees(name, keys, args, reply)
    console.log(`      ${name} ${args.slice(5).join(' ').slice(0, 60)} -> ${JSON.stringify(reply).slice(0, 130)}`)
  }
}
await world.start()
tell('started')
for (const command of commands) {
  const happened = await execute(world, command)
  tell(`${command.name} ${command.at} ${command.how}${happened ? '' : ' (not possible)'}`)
}
await healAll(world, staysCut)
tell('healed')
const seconds = await secondsToMeet(world, 45)
tell(`together after ${seconds} s`)
