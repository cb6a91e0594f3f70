import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { AdminRoute, OperatorRequest } from './route.js'

/** The package ships the files as they are in its sources: they need no build. */
const FOLDER = new URL('lib/admin/page/', import.meta.resolve('fastify-cobrowse/package.json'))
const INDEX = 'index.html'

const CONTENT_TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8']
])

// Nothing is loaded from elsewhere, nothing is inline, and no text can become markup.
const HEADERS = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/** The page and its files. Only operators get them. */
export function createPageRoutes (): AdminRoute[] {
  const files = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER))]))
  const serve = (name: string) => ({ reply }: OperatorRequest) => {
    reply.headers({ ...HEADERS, 'content-type': CONTENT_TYPES.get(extname(name)) })
    return files.get(name)
  }
  const serveIndex = serve(INDEX)

  const index = route('/', (operator) => {
    const [path = ''] = operator.request.url.split('?')
    if (path.endsWith('/')) return serveIndex(operator)
    // The page's own links are relative, so that it works behind a proxy that changes the beginning of the path.
    operator.reply.code(302).header('location', `./${path.slice(path.lastIndexOf('/') + 1)}/`)
    return ''
  })
  const assets = [...files.keys()].filter((name) => name !== INDEX)
  return [index, ...assets.map((name) => route(`/assets/${name}`, serve(name)))]
}

function route (url: string, answer: AdminRoute['answer']): AdminRoute {
  return { method: 'GET', url, operation: 'admin page', schema: { hide: true }, isLinkable: true, answer }
}
