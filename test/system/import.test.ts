import { execFileSync } from 'node:child_process'
import t from 'tap'

/** Packages that a gateway on Redis with a static address does without. */
const HEAVY = ['jose', 'node-zookeeper-client', 'undici']

/** Runs a program on the build, which prints the packages that it has loaded. */
function loadedBy (program: string): string[] {
  const hooks = `export async function load (url, context, next) {
    const [, name] = /node_modules\\/([^/]+)/.exec(url) ?? []
    if (name !== undefined) process._rawDebug('loaded ' + name)
    return await next(url, context)
  }`
  const register = `import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))`
  const code = `${register}
    const { createRequire } = await import('node:module')
    ${program}
    const cached = Object.keys(createRequire(import.meta.url).cache)
    console.log(JSON.stringify(cached.map((path) => /node_modules\\/([^/]+)/.exec(path)?.[1])))`
  const output = execFileSync('sh', ['-c', '"$0" --input-type=module -e "$1" 2>&1', process.execPath, code], { encoding: 'utf8' })
  return HEAVY.filter((name) => output.includes(`loaded ${name}\n`) || output.includes(`"${name}"`))
}

t.test('the import of a gateway – a registry on Redis, a static address – loads no library for others', async (t) => {
  t.strictSame(loadedBy("await import('./dist/lib/index.js')"), [])
})

t.test('the libraries – their adapter is made, a signature is checked – are loaded then', async (t) => {
  const program = (rest: string) => `const lib = await import('./dist/lib/index.js')\n${rest}`
  t.strictSame(loadedBy(program("lib.zookeeperRegistry({ hosts: '127.0.0.1:1' })")), ['node-zookeeper-client'])
  t.strictSame(loadedBy(program(`const provision = lib.httpProvision({ url: 'http://127.0.0.1:1/' })
    await provision.externalUrl({ wssUrl: 'wss://a/' }, { tenantId: 't', channelId: 'c', userId: 'u' }, AbortSignal.timeout(9000))
      .catch(() => {})
    await provision.close()`)), ['undici'])
  t.strictSame(loadedBy(program("await lib.verifySignature('a.b.c', { keys: [{ id: 'k', secret: 's'.repeat(32) }], node: { id: 'n', incarnation: 'i' } }).catch(() => {})")), ['jose'])
  t.strictSame(loadedBy("await import('./dist/lib/node/index.js')"), ['jose'], 'a node checks signatures')
})
