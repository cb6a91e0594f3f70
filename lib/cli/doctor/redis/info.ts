import type { Redis } from 'ioredis'

/** Fields of INFO, by their names. */
export type RedisInfo = ReadonlyMap<string, string>

/** @returns undefined if the user may not run INFO */
export async function readInfo (redis: Redis): Promise<RedisInfo | undefined> {
  try {
    return parseInfo(await redis.info())
  } catch (error) {
    if (error instanceof Error && error.message.includes('NOPERM')) return undefined
    throw error
  }
}

function parseInfo (text: string): RedisInfo {
  return new Map(text.split('\r\n').flatMap((line) => {
    const at = line.indexOf(':')
    return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
  }))
}

export const numberOf = (info: RedisInfo, name: string): number => Number(info.get(name) ?? 0)
