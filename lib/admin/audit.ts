import { toReason } from '../common/reason.js'
import { InvalidBodyError } from '../errors.js'
import { PLUGIN_NAME } from '../options.js'
import type { FastifyBaseLogger } from 'fastify'

/** The fields of the log line: an operator, and the operation. */
export interface Recorded {
  operation: string
  author: string
  node?: string
  tenant?: string
  room?: string
  to?: string | undefined
  reason?: string | undefined
  deadline?: number | undefined
  returnWithin?: number | undefined
}

/**
 * Does the work of an operator, and logs it. Work that failed may still have been done, so that it is logged, too.
 *
 * @throws the error of `work`
 */
export async function record<T> (log: FastifyBaseLogger, details: Recorded, work: () => Promise<T>): Promise<T> {
  const line = { plugin: PLUGIN_NAME, ...details }
  try {
    const result = await work()
    log.info(line, 'operator acted')
    return result
  } catch (error) {
    if (!(error instanceof InvalidBodyError)) log.warn({ ...line, fault: toReason(error) }, 'operator may have acted')
    throw error
  }
}
