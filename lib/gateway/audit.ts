import { toReason } from '../common/reason.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Issued, OnIssued } from '../../types/options.js'

/** Tells the host of each signature. Nothing waits for it, and its failures reach the log alone, once in a row. */
export function createAudit (onIssued: OnIssued, log: FastifyBaseLogger): (issued: Issued) => void {
  let isFailing = false

  function fail (error: unknown): void {
    if (!isFailing) log.error({ reason: toReason(error) }, '"onIssued" failed: signatures are missing in the audit trail')
    isFailing = true
  }

  return (issued) => {
    try {
      Promise.resolve(onIssued(issued)).then(() => { isFailing = false }, fail)
    } catch (error) {
      fail(error)
    }
  }
}
