import { createRequestContext } from '../gateway/request-context.js'
import { checkConnectionInfoBody, checkReleaseBody } from './schema.js'
import type { Gateway } from '../gateway/gateway.js'
import type { RequestContext } from '../gateway/request-context.js'
import type { Cobrowse } from '../../types/index.js'

/** `app.cobrowse`: the use cases, for hosts that authenticate and authorize a caller themselves. */
export function createDecorator (gateway: Gateway, timeout: number): Cobrowse {
  async function inTime<T> (work: (context: RequestContext) => Promise<T>): Promise<T> {
    const context = createRequestContext(timeout)
    context.budget.bodyArrived()
    try {
      return await work(context)
    } finally {
      context.budget.done()
    }
  }

  return {
    connectionInfo: async (session, body) =>
      await inTime(async (context) => await gateway.connectionInfo(session, checkConnectionInfoBody(body), context)),
    endCall: async (session, callId) =>
      await inTime(async (context) => await gateway.endCall(session, checkReleaseBody({ callId }), context)),
    roomHash: gateway.roomHash,
    status: gateway.status
  }
}
