import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { TSC } from '../../.ci/prepare.mjs'
import type { Test } from 'tap'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const { NODE_OPTIONS, ...env } = process.env
const npm = async (cwd: string, ...args: string[]) =>
  (await execute('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env })).stdout

const NAMES = [
  'ApiFabricAnswerSchema', 'ApiFabricBodySchema', 'BodyTimeoutError', 'BodyTooLargeError', 'ClosingError', 'ConnectionInfoAnswerSchema', 'ConnectionInfoBodySchema',
  'ErrorAnswerSchema', 'InternalError', 'InvalidBodyError', 'InvalidTokenError', 'MissingTokenError',
  'NoLiveNodeError', 'NodesFullError', 'NotAuthorizedError', 'OriginNotAllowedError', 'OverloadedError',
  'ProvisionUnavailableError', 'RegistrySettlingError', 'RegistryUnavailableError', 'ReleaseAnswerSchema',
  'ReleaseBodySchema', 'SessionsUnavailableError', 'SignatureError', 'TooManyRequestsError',
  'UnsupportedContentTypeError', 'chain', 'cobrowse', 'default', 'filterBy', 'fromNodeRedis', 'httpProvision', 'jwksKeys',
  'leastLoaded', 'memoryRegistry', 'memorySessions', 'openapiSecurity', 'openapiSecuritySchemes', 'ownUserIdOnly', 'prefer',
  'publicJwks', 'redisRegistry', 'redisSessions', 'staticProvision', 'verifySignature', 'zookeeperRegistry'
]

const PUBLIC_NAMES = {
  'fastify-cobrowse': NAMES,
  'fastify-cobrowse/admin': ['admin', 'default'],
  'fastify-cobrowse/node': ['AdmissionError', 'joinCobrowse', 'readOffer'],
  'fastify-cobrowse/relay': ['UPGRADE_OPTIONS', 'default', 'handleUpgrades', 'relay', 'startRelay'],
  'fastify-cobrowse/client': ['CobrowseError', 'connect'],
  'fastify-cobrowse/recorder': ['createIndicator', 'startRecorder'],
  'fastify-cobrowse/replayer': ['createReplayer'],
  'fastify-cobrowse/testing': [
    'checkNode', 'listedContract', 'membershipContract', 'operationsContract', 'provisionContract', 'registryContract',
    'sessionsContract', 'startToxicProxy'
  ]
}

const CONSUMER = `
import Fastify from 'fastify'
import cobrowse, { memoryRegistry, memorySessions, ownUserIdOnly, staticProvision } from 'fastify-cobrowse'
import type { CobrowseOptions, Sessions } from 'fastify-cobrowse'
import admin from 'fastify-cobrowse/admin'
import type { AdminOptions, AuthorizeOperator } from 'fastify-cobrowse/admin'
import { AdmissionError, joinCobrowse, readOffer } from 'fastify-cobrowse/node'
import type { CobrowseNode, Seat } from 'fastify-cobrowse/node'
import relay from 'fastify-cobrowse/relay'
import type { RelayOptions } from 'fastify-cobrowse/relay'
import { checkNode } from 'fastify-cobrowse/testing'
import type { CheckNodeOptions, NodeReport } from 'fastify-cobrowse/testing'

const options: CobrowseOptions = {
  sessions: memorySessions() satisfies Sessions,
  registry: memoryRegistry({ nodes: [{ id: 'n', wssUrl: 'wss://10.0.0.1/ws' }] }),
  provision: staticProvision('relay.example'),
  signing: { keys: [{ id: 'k', secret: 'x'.repeat(32) }] },
  authorize: ownUserIdOnly
}
const app = Fastify()
await app.register(cobrowse, options)
const authorize: AuthorizeOperator = async ({ ip }) => ip === '127.0.0.1' && 'anna'
await app.register(admin, { prefix: '/admin', authorize } satisfies AdminOptions & { prefix: string })
app.get('/', async (request) => request.cobrowseSession?.userId ?? app.cobrowse.status().inFlight)

const { registry, signing } = options
await app.register(relay, { registry, signing, id: 'n', wssUrl: 'wss://10.0.0.1/ws' } satisfies RelayOptions)
const node: CobrowseNode = await joinCobrowse({ registry, signing, wssUrl: 'wss://10.0.0.1/ws' })
try {
  const seat: Seat = await node.admit(readOffer({}).signature)
  seat.leave()
} catch (error) {
  if (error instanceof AdmissionError) app.log.info(error.closeCode)
}
declare const store: Pick<CheckNodeOptions, 'redis' | 'WebSocket'>
const report: NodeReport = await checkNode({ ...store, nodeId: node.id, signing, only: ['claims'] })
app.log.info(report.rules.map(({ id, outcome }) => id + outcome))
`
// A page has no types of Node.js or Fastify.
const PAGE = `
import { CobrowseError, connect } from 'fastify-cobrowse/client'
import type { Connection, ConnectOptions } from 'fastify-cobrowse/client'

const options: ConnectOptions = { roomId: 'r', userId: 'u', userName: 'U', role: 'recorder', WebSocket }
const connection: Connection = connect({ ...options, onMessage: (message) => console.log(message) })
connection.on('close', (error) => { if (error instanceof CobrowseError && error.code === 4403) alert(error.message) })
`
const OPTIONS = {
  strict: true, module: 'nodenext', target: 'es2023', lib: ['es2023'], types: ['node'], skipLibCheck: false, noEmit: true
}

function temporaryFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('dependencies – install scripts allowed – run none, since none has one', async (t) => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  t.strictSame(Object.keys(packages).filter((path) => packages[path].hasInstallScript === true), [])
})

t.test('the public names – of each entry – are held below', async (t) => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.keys(exports).filter((path) => path !== './package.json')
  t.strictSame(entries.map((path) => join('fastify-cobrowse', path)).sort(), Object.keys(PUBLIC_NAMES).sort())
})

t.test('the package – packed – installs into a fresh folder and loads in every way', async (t) => {
  const folder = temporaryFolder(t)
  const [{ filename, files }] = JSON.parse(await npm(root, 'pack', '--json', '--pack-destination', folder))
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
  await npm(folder, 'install', '--prefer-offline', '--ignore-scripts', join(folder, filename), 'fastify@5', 'ws@8', '@types/node@20')

  t.test('the package – contains the build of lib and types, the admin page, and nothing else', async (t) => {
    const paths: string[] = files.map(({ path }: { path: string }) => path)
    const others = paths.filter((path) => !/^(?:dist|docs|examples|lib\/admin\/page)\//.test(path)).sort()
    t.strictSame(others, ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'])
    const kinds = new Set(paths.filter((path) => path.startsWith('docs/')).map((path) => extname(path)))
    t.strictSame([...kinds].sort(), ['.cfg', '.conf', '.json', '.lua', '.md', '.png', '.service', '.svg', '.yml'])
    t.strictSame(paths.filter((path) => /node_modules|examples\/[\w-]+\/(?:dist|__pycache__)/.test(path)), [])
    for (const path of ['dist/lib/index.js', 'dist/lib/client/index.js', 'dist/types/index.d.ts', 'dist/browser/cobrowse.js', 'lib/admin/page/index.html']) {
      t.ok(paths.includes(path), path)
    }
    const built = paths.filter((path) => path.startsWith('dist/') && path !== 'dist/browser/cobrowse.js')
    const stale = built.filter((path) => {
      const source = path.replace('dist/', '').replace(/(\.d)?\.(js|ts)$/, '.ts')
      return !/^(lib|types)\//.test(source) || !existsSync(join(root, source))
    })
    t.strictSame(stale, [])
  })
  t.test('links of its README and pictures lead to files that it ships, or to parts of the repository', async (t) => {
    const paths: string[] = files.map(({ path }: { path: string }) => path)
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const targets = [...readme.matchAll(/\]\((?!#|[a-z]+:)([^)#]+)/g)].map(([, target = '']) => target)
    t.ok(targets.length > 10)
    const ofRepository = ['CONTRIBUTING.md', 'bench/README.md', 'demo/README.md']
    t.strictSame(targets.filter((target) => !paths.includes(target) && !ofRepository.includes(target)), [])
  })

  const run = async (code: string, type: string) => {
    const { stdout } = await execute(process.execPath, [`--input-type=${type}`, '-e', code], { cwd: folder, env })
    return JSON.parse(stdout)
  }
  t.test('the command of the package – is installed, and says what it can do', async (t) => {
    const { stdout } = await execute(join(folder, 'node_modules/.bin/fastify-cobrowse'), ['--help'], { cwd: folder, env })
    t.match(stdout, /check-node/)
  })
  const KEYS = 'const keys = (it) => Object.keys(it).filter((name) => name !== "__esModule").sort()'
  const paths = JSON.stringify(Object.keys(PUBLIC_NAMES))
  t.test('the entries of the package – by import – have exactly the public names', async (t) => {
    const code = `${KEYS}
      const loaded = ${paths}.map(async (path) => [path, keys(await import(path))])
      console.log(JSON.stringify(Object.fromEntries(await Promise.all(loaded))))`
    t.strictSame(await run(code, 'module'), PUBLIC_NAMES)
  })
  t.test('the entries of the package – by require() – have exactly the public names', async (t) => {
    const code = `${KEYS}
      console.log(JSON.stringify(Object.fromEntries(${paths}.map((path) => [path, keys(require(path))]))))`
    t.strictSame(await run(code, 'commonjs'), PUBLIC_NAMES)
  })
  t.test('the package – by require() – registers both ways', async (t) => {
    const code = `
      const Fastify = require('fastify')
      const plugin = require('fastify-cobrowse')
      const options = () => ({
        sessions: plugin.memorySessions(), registry: plugin.memoryRegistry(), authorize: plugin.ownUserIdOnly,
        provision: plugin.staticProvision('x.example'), signing: { keys: [{ id: 'k', secret: 'x'.repeat(32) }] }
      })
      const ready = async (it) => {
        const app = Fastify()
        app.register(it, options())
        await app.ready()
        await app.close()
      }
      Promise.all([plugin, plugin.cobrowse, plugin.default].map(ready)).then((all) => console.log(all.length))`
    t.equal(await run(code, 'commonjs'), 3)
  })
  t.test('the admin page – of the installed package, by import and by require() – is served', async (t) => {
    const code = `
      const registry = memoryRegistry()
      const app = Fastify()
      app.register(admin, { prefix: '/admin', registry, authorize: () => 'anna' })
      app.inject('/admin/').then(({ statusCode, body }) =>
        console.log(JSON.stringify([statusCode, body.slice(0, 15)])))`
    const imports = `import Fastify from 'fastify'
      import { memoryRegistry } from 'fastify-cobrowse'
      import admin from 'fastify-cobrowse/admin'`
    const requires = `const Fastify = require('fastify'); const { memoryRegistry } = require('fastify-cobrowse')
      const admin = require('fastify-cobrowse/admin')`
    t.strictSame(await run(imports + code, 'module'), [200, '<!doctype html>'])
    t.strictSame(await run(requires + code, 'commonjs'), [200, '<!doctype html>'])
  })
  t.test('TypeScript consumers that check every declaration – a gateway and a page – compile', async (t) => {
    const page = { ...OPTIONS, lib: ['es2023', 'dom'], types: [] }
    for (const [name, text, compilerOptions] of [['gateway', CONSUMER, OPTIONS], ['page', PAGE, page]] as const) {
      writeFileSync(join(folder, `${name}.ts`), text)
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
      await t.resolves(execute(process.execPath, [join(root, TSC), '-p', `${name}.json`], { cwd: folder, env }))
    }
  })
})
