import { UsageError } from './exit.js'
import { STORE_OPTIONS } from './store.js'

/** Arguments of every verb that gives an order. */
export const ORDER_OPTIONS = { ...STORE_OPTIONS, reason: { type: 'string' }, author: { type: 'string' } } as const

export const ORDER_HELP = `  --reason TEXT        why, in 1 to 200 characters; mandatory
  --author NAME        who; default $USER`

/** @throws UsageError that names the argument */
export function readOrder ({ reason, author }: { reason?: string, author?: string }) {
  if (reason === undefined) throw new UsageError('--reason is missing: say why, for those who find the order')
  const by = author ?? process.env.USER ?? process.env.LOGNAME ?? ''
  if (by === '') throw new UsageError('--author is missing, and $USER is not set')
  return { reason, author: by }
}

/**
 * Does work whose TypeErrors are about the arguments: the fields of an order have the names of the arguments.
 *
 * @throws UsageError that names the argument
 */
export async function asUsage<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message.replace('"returnWithin"', '"return-within"').replace(/^"([\w-]+)" option of \w+/, '--$1'))
  }
}

/** Prints the result of an order. */
export function tell (isJson: boolean | undefined, result: object, line: string): void {
  process.stdout.write(isJson === true ? `${JSON.stringify(result)}\n` : `${line}\n`)
}
