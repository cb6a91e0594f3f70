import { PassThrough } from 'node:stream'
import { startBudget } from './deadline.js'
import { BodyTimeoutError } from './errors.js'
import type { FastifyReply } from 'fastify'
import type { Budget } from './deadline.js'

/** Starts the time of a request, which ends with its answer or when the caller goes away. */
export function startRequestBudget (timeout: number, { raw }: FastifyReply): Budget {
  const budget = startBudget(timeout)
  raw.once('close', () => {
    if (raw.writableFinished) budget.end()
    else budget.cancel()
  })
  return budget
}

/** A body that never comes is the caller's fault, and has to be ended by us: Node waits for minutes. */
export function limitBody (payload: NodeJS.ReadableStream, budget: Budget): NodeJS.ReadableStream {
  const body = payload.pipe(new PassThrough())
  // Where the framework refused the body already, nobody listens any more.
  body.on('error', () => {})
  const onTimeout = () => body.destroy(new BodyTimeoutError())
  budget.signal.addEventListener('abort', onTimeout, { once: true })
  body.once('end', () => {
    budget.bodyArrived()
    budget.signal.removeEventListener('abort', onTimeout)
  })
  return body
}
