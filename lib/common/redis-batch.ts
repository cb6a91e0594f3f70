/** The part of an ioredis client that is used. Other clients have no pipelines, and get each command on its own. */
interface Pipelining {
  pipeline (commands: Command[]): { exec (): Promise<Reply[] | null> }
}

type Command = [name: string, ...args: Array<string | number>]
type Reply = [error: Error | null, value: unknown]

interface Waiting {
  command: Command
  resolve (value: unknown): void
  reject (error: unknown): void
}

/** Sends a command with the others of the same turn of the event loop. */
export type Send = (...command: Command) => Promise<unknown>

/** Users of one client send together. */
const senders = new WeakMap<object, Send>()

/**
 * One write for all commands of a turn: a write that wakes the server takes more time than all else about a command.
 * A client that pipelines on its own, or a Cluster, whose commands go to several servers, gets each command at once.
 */
export function senderOf (redis: object): Send {
  const sender = senders.get(redis) ?? createSender(redis)
  senders.set(redis, sender)
  return sender
}

function createSender (redis: object): Send {
  const direct: Send = async (name, ...args) => await (redis as Record<string, Send>)[name]?.(...args as Command)
  if (!canPipeline(redis)) return direct
  let waiting: Waiting[] = []

  async function flush (): Promise<void> {
    const sent = waiting
    waiting = []
    try {
      const replies = await (redis as Pipelining).pipeline(sent.map(({ command }) => command)).exec() ?? []
      for (const [at, { resolve, reject }] of sent.entries()) {
        const [error, value] = replies[at] ?? [new Error('no reply to a command of a pipeline'), undefined]
        if (error === null) resolve(value)
        else reject(error)
      }
    } catch (error) {
      for (const { reject } of sent) reject(error)
    }
  }

  return (...command) => new Promise((resolve, reject) => {
    if (waiting.push({ command, resolve, reject }) === 1) setImmediate(flush)
  })
}

function canPipeline (redis: object): redis is Pipelining {
  const { pipeline, isCluster, options } = redis as Record<string, unknown>
  const { enableAutoPipelining } = (options ?? {}) as Record<string, unknown>
  return typeof pipeline === 'function' && isCluster !== true && enableAutoPipelining !== true
}
