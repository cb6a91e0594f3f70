import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { TSC } from '../../.ci/prepare.mjs'
import { ROOT } from './doc-blocks.js'
import type { DocBlock } from './doc-blocks.js'

/** Names that examples assume. */
const GIVEN = `
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Registry, Session, SigningOptions } from 'fastify-cobrowse'

declare global {
  const app: FastifyInstance
  const redis: import('ioredis').Redis
  const registry: Registry
  const signing: SigningOptions
  const signature: string
  const origin: string
  const roomId: string
  const userId: string
  const userName: string
  const others: any
  function ownsCall (session: Session, roomId: string): boolean
  function isAgentOf (session: Session, roomId: string): boolean
  function employeeOf (request: FastifyRequest): Promise<{ login: string, isOperator: boolean } | null>
  function show (message: string | ArrayBuffer): void
  function everything (): object
  function tell (text: string): void
}
`

/** Examples are JavaScript: names, options and their types are checked, annotations are not required. */
const SETTINGS = {
  compilerOptions: {
    strict: false,
    noEmit: true,
    skipLibCheck: true,
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2023', 'dom'],
    types: ['node'],
    typeRoots: [`${ROOT}node_modules/@types`]
  },
  include: ['*.mts']
}

/**
 * Type-checks JavaScript examples against the built package.
 *
 * @returns a line per fault: its place and the message of the compiler
 */
export function checkExamples (blocks: DocBlock[]): string[] {
  // The files lie inside the project, so that they find the package by its own name.
  const folder = `${ROOT}.tap/examples`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    const places = new Map(blocks.map(({ place }, at) => [`example-${at}.mts`, place]))
    for (const [at, block] of blocks.entries()) writeFileSync(`${folder}/example-${at}.mts`, toModule(block, blocks))
    writeFileSync(`${folder}/given.d.mts`, GIVEN)
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(SETTINGS))
    const { stdout, error } = spawnSync(process.execPath, [ROOT + TSC, '--pretty', 'false', '-p', folder], { encoding: 'utf8' })
    if (error !== undefined) throw error
    return stdout.split(/\n(?! )/).filter((line) => line !== '').map((line) => {
      const [, name = '', message = line] = /([^/]+)\(\d+,\d+\): error TS\d+: ([^]*)/.exec(line) ?? []
      return `${places.get(name) ?? 'the compiler'}: ${message}`
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function toModule (block: DocBlock, all: DocBlock[]): string {
  const code = block.code.replaceAll(/\/\/ …|\/\* … \*\//g, '...others')
  // A block that begins with a property is a fragment of the plugin's options.
  const whole = /^\w+: /.test(code)
    ? `const options: Partial<import('fastify-cobrowse').CobrowseOptions> = {\n${code}\n}\n`
    : code
  return `${importsOfEarlier(block, all)}${whole}\nexport {}\n`
}

/** Adds imports of earlier blocks of the same document, if a later block uses their names. */
function importsOfEarlier (block: DocBlock, all: DocBlock[]): string {
  const earlier = all.slice(0, all.indexOf(block)).filter(({ file }) => file === block.file)
  const names = new Map(earlier.flatMap(({ code }) => readImports(code)))
  const own = new Set(readImports(block.code).map(([name]) => name))
  return [...names].filter(([name]) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(block.code))
    .map(([, line]) => line).join('')
}

function readImports (code: string): Array<[name: string, line: string]> {
  return [...code.matchAll(/^import (?:(\w+)(?:, )?)?(?:\{ ([^}]+) \} )?from '([^']+)'$/gm)].flatMap(
    ([, whole, named = '', from]) => [
      ...whole === undefined ? [] : [[whole, `import ${whole} from '${from}'\n`] as [string, string]],
      ...named.split(', ').filter(Boolean).map((name): [string, string] => [name, `import { ${name} } from '${from}'\n`])
    ])
}
