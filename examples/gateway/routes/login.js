const schema = {
  body: {
    type: 'object',
    required: ['userId'],
    properties: { userId: { type: 'string', pattern: '^[A-Za-z0-9._:@-]{1,64}$' } }
  }
}

/** Stands for CC-Messaging, which issues the real tokens after a login of its own. */
export default async function login (app) {
  app.post('/login', { schema }, async ({ body: { userId } }) => {
    const channelId = userId.startsWith('agent-') ? 'desk' : 'web'
    return { token: app.tokens.issue({ tenantId: 'example', channelId, userId }) }
  })
}
