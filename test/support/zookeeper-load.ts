import { roomKey, untilOk } from './zookeeper-app.js'
import { eventually, until } from './until.js'
import type { Gateway, NodeOnZooKeeper } from './zookeeper-app.js'

/** RetCode of a busy event loop, which a machine under load may cause. */
const BUSY = '50306'

/** Makes many requests in a row, and returns the kinds of answers and the median time. */
export async function askMany (ask: Gateway['ask'], rooms: string[]) {
  const answers = []
  for (let round = 0; round < 15; round++) for (const room of rooms) answers.push(await askInPeace(ask, room))
  const ms = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const kinds = [...new Set(answers.map(({ kind }) => kind))].sort()
  return { kinds, medianMs: Math.round(ms[Math.floor(ms.length / 2)] ?? 0) }
}

export const kindsOf = async ({ ask }: Gateway, rooms: string[]) =>
  (await Promise.all(rooms.map(async (room) => await askInPeace(ask, room)))).map(({ kind }) => kind)

const askInPeace = async (ask: Gateway['ask'], room: string) => await until(async () => {
  const answer = await ask(room)
  return answer.kind !== BUSY && answer
}, `another answer than ${BUSY}`)

/** Opens rooms, each on one of the nodes. */
export async function openRooms (
  gateways: Gateway[], nodes: Array<Pick<NodeOnZooKeeper, 'member' | 'wssUrl'>>, count: number
) {
  const holders = new Map<string, string>()
  for (let at = 0; at < count; at++) {
    // All gateways know the rooms.
    const answers = await Promise.all(gateways.map(async (gateway) => await untilOk(gateway, `room-${at}`)))
    const { wssUrl = '' } = answers[0] ?? {}
    const node = nodes.find((node) => node.wssUrl === wssUrl)
    await eventually(async () => await node?.member.claim(roomKey(`room-${at}`)), 'ok')
    holders.set(`room-${at}`, wssUrl)
  }
  return holders
}

/** Asks for rooms again and again until stopped, and collects answers that name another node than before. */
export function goOnAsking (gateways: Gateway[], holders: Map<string, string>) {
  const wrong: unknown[] = []
  let slowest = 0
  let asked = 0
  const over = new AbortController()
  const asking = Promise.all(gateways.map(async ({ ask }) => {
    while (!over.signal.aborted) {
      for (const [room, holder] of holders) {
        const { kind, wssUrl, ms } = await ask(room)
        slowest = Math.max(slowest, ms)
        asked++
        const isWrong = wssUrl === undefined ? !/^5030[236]$/.test(kind) : wssUrl !== holder
        if (isWrong && wrong.length < 3) wrong.push({ room, kind, wssUrl, holder })
      }
    }
  }))
  return {
    asked: () => asked,
    async stop () {
      over.abort()
      await asking
      return { wrong, slowest }
    }
  }
}
