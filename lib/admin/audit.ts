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
  reason?: string | undefined
  deadline?: number | undefined
  returnWithin?: number | undefined
}

/**
 * Does the work of an operator, and logs it. Work that failed may still have been done, so that it is logged, too.
 *
 * @throws the error of `work`
 */
export async function record (log: FastifyBaseLogger, details: Recorded, work: () => Promise<void>): Promise<void> {
  const line = { plugin: PLUGIN_NAME, ...details }
  try {
    await work()
  } catch (error) {
    if (!(error instanceof InvalidBodyError)) log.warn({ ...line, fault: toReason(error) }, 'operator may have acted')
    throw error
  }
  log.info(line, 'operator acted')
}
