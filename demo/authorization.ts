import { ownUserIdOnly } from '../lib/index.js'
import { readAgents } from './agents.js'
import { createAuthorizeService } from './authorize-service.js'
import type { Authorize, AuthorizeRelease } from '../types/index.js'
import type { Env } from './env.js'

export interface Authorization {
  authorize: Authorize
  /** Omitted: an agent may end every call that an agent may watch. */
  authorizeRelease?: AuthorizeRelease
  /** Tells the operator which rule applies. */
  summary: string
  close (): Promise<void>
}

/** The decision of the operator. Without one, on loopback, any session may watch any room. */
export function createAuthorization ({ AGENTS, AUTHORIZE_URL }: Env): Authorization {
  if (AUTHORIZE_URL !== undefined) return askService(AUTHORIZE_URL)
  if (AGENTS !== undefined) return knowAgents(AGENTS)
  return { authorize: ownUserIdOnly, summary: 'none: any session may watch, and end, any room', async close () {} }
}

function knowAgents (list: string): Authorization {
  const isAgent = readAgents(list)
  return {
    authorize: (session, { userId, role }) =>
      session.userId === userId && (role === 'recorder' || isAgent(session)),
    summary: 'AGENTS may watch, and end, any room of their tenant; any session may share in one',
    async close () {}
  }
}

function askService (url: string): Authorization {
  const service = createAuthorizeService(url)
  return {
    async authorize ({ tenantId, channelId, userId }, body) {
      if (body.userId !== userId) return false
      return await service.ask({ action: 'connect', tenantId, channelId, userId, roomId: body.roomId, role: body.role })
    },
    authorizeRelease: async ({ tenantId, channelId, userId }, { callId: roomId }) =>
      await service.ask({ action: 'end', tenantId, channelId, userId, roomId }),
    summary: 'AUTHORIZE_URL is asked who may share, watch or end what',
    close: service.close
  }
}
