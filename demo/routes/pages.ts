import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

const fileOf = (name: string) => new URL(import.meta.resolve(name))
const folderOf = (name: string) => new URL('.', fileOf(name)).pathname
const PAGES = new URL('demo/pages/', fileOf('fastify-cobrowse/package.json')).pathname

// Nothing is loaded from elsewhere. WebSockets lead to the node that holds the room, and the topology page asks the
// other processes of the demo on this machine.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self' ws: wss: http://127.0.0.1:* http://localhost:*; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
// The replayed page is built of another page's markup inside a sandboxed frame, which inherits this policy: its inline
// styles may apply, but none of its addresses is fetched.
const REPLAY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; " +
  "font-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const SAFE_HEADERS = { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' }

const PAGE_FILES: Record<string, string> = {
  '/': 'index.html',
  '/demo/customer': 'customer.html',
  '/demo/agent': 'agent.html',
  '/demo/topology': 'topology.html'
}

/** The pages of the demo, as they are in `demo/pages`: no build step, and nothing from another server. */
export async function pageRoutes (app: FastifyInstance): Promise<void> {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(SAFE_HEADERS)
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', POLICY)
  })
  await app.register(fastifyStatic, {
    root: PAGES,
    prefix: '/demo/assets/',
    index: false,
    // The policy belongs to the file, regardless of the address that leads to it.
    setHeaders (reply, path) {
      if (path.endsWith('/agent.html')) reply.header('content-security-policy', REPLAY_POLICY)
    }
  })
  const served = { index: false, decorateReply: false } as const
  for (const part of ['client', 'recorder', 'replayer']) {
    const root = folderOf(`fastify-cobrowse/${part}`)
    await app.register(fastifyStatic, { ...served, root, prefix: `/demo/${part}/` })
  }
  await app.register(fastifyStatic, { ...served, root: folderOf('rrweb'), prefix: '/demo/rrweb/' })
  for (const [path, file] of Object.entries(PAGE_FILES)) {
    app.get(path, { schema: { hide: true } }, async (_request, reply) =>
      await reply.sendFile(file, { cacheControl: false }))
  }
}
