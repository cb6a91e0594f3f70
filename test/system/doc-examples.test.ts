import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { EnvSchema } from '../../demo/env.js'
import { checkExamples } from '../support/check-examples.js'
import { listDocuments, readBlocks, ROOT } from '../support/doc-blocks.js'
import type { DocBlock } from '../support/doc-blocks.js'
import type { Authorize, Session } from '../../types/index.js'

const blocks = listDocuments().flatMap(readBlocks)
const held = blocks.filter(({ exempt }) => exempt === undefined)
const inLanguage = (...languages: string[]) => held.filter(({ language }) => languages.includes(language))
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> }

/** Returns the faults of a shell line: missing scripts, files and variables. */
function faultsOf (line: string): string[] {
  const words = line.split(/\s+/)
  const command = words.findIndex((word) => !/^[A-Z_]+=/.test(word))
  const variables = words.slice(0, command).map((word) => word.split('=')[0] ?? '')
  const [program = '', ...rest] = words.slice(command)
  const faults = variables.filter((name) => !(name in EnvSchema.properties)).map((name) => `no variable ${name}`)
  const script = program === 'npm' ? (rest[0] === 'run' ? rest[1] : rest[0]) ?? '' : undefined
  if (script === undefined && !['node', 'npx'].includes(program)) faults.push(`${program} is not known to this test`)
  if (script !== undefined && !(script in scripts)) faults.push(`no script ${script}`)
  for (const word of rest) if (/\.(m?js|ts)$/.test(word) && !existsSync(ROOT + word)) faults.push(`no file ${word}`)
  return faults
}

/** Returns the commands of a block without comments and here-documents, with continued lines joined. */
const commandsOf = ({ code }: DocBlock) => code
  .replaceAll(/\\\n\s*/g, ' ').replaceAll(/=(?:"[^"]*"|'[^']*')/g, '=x').replaceAll(/(?:^|\s)#.*$/gm, '')
  .split('\n').map((line) => line.trim()).filter((line) => line !== '')

t.test('code blocks of the documents – in each language – are checked, or give a reason', async (t) => {
  t.ok(inLanguage('js').length >= 10)
  for (const { place, language, exempt } of blocks) {
    t.ok(['js', 'ts', 'sh', 'json'].includes(language) || exempt !== undefined, `${place}: ${language}`)
    if (exempt !== undefined) t.ok(exempt.length > 10, `${place} has a reason`)
  }
})

t.test('JavaScript examples – names, options and methods – pass the type check', async (t) => {
  const wrong = { place: 'here', file: 'README.md', language: 'js', code: 'await app.cobrowse.connect()\n' }
  const [found, ...others] = checkExamples([wrong, ...inLanguage('js', 'ts')])
  t.match(found, /^here: Property 'connect' does not exist/, 'a wrong name is found')
  t.strictSame(others, [])
})

t.test('JSON examples – each – can be parsed', async (t) => {
  for (const { place, code } of inLanguage('json')) t.doesNotThrow(() => JSON.parse(code), place)
})

t.test('shell examples – scripts, files and variables – exist', async (t) => {
  for (const block of inLanguage('sh')) {
    for (const command of commandsOf(block)) t.strictSame(faultsOf(command), [], `${block.place}: ${command}`)
  }
  t.strictSame(faultsOf('PROT=1 npm run strat'), ['no variable PROT', 'no script strat'])
})

t.test('documents – scripts and files named in the text – exist', async (t) => {
  for (const file of listDocuments()) {
    const text = readFileSync(ROOT + file, 'utf8')
    const own = `${ROOT}${dirname(file)}/package.json`
    const here = existsSync(own) ? JSON.parse(readFileSync(own, 'utf8')).scripts : scripts
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) t.ok(script in here, `${file}: ${script}`)
    for (const [, path = ''] of text.matchAll(/(?<=[\s`])((?:test|lib|demo|bench|examples)\/[\w./-]+\.(?:ts|m?js|json|lua))\b/g)) {
      t.ok(existsSync(ROOT + path), `${file}: ${path}`)
    }
  }
})

t.test('authorize as documented – session of another call – gets neither role', async (t) => {
  const session: Session = { tenantId: 't', channelId: 'web', userId: 'u' }
  const shown = inLanguage('js').flatMap(({ place, code }) =>
    [...code.matchAll(/^ *authorize: (\([^]*?\)\n?)(?=\}\)|$(?![^]))/gm)].map(([, text = '']) => [place, text] as const))
  t.ok(shown.length >= 2, 'README and docs/security.md show one')
  for (const [place, text] of shown) {
    for (const [ownsCall, isAgentOf] of [[false, true], [true, false]] as const) {
      const authorize: Authorize = runInNewContext(text, { ownsCall: () => ownsCall, isAgentOf: () => isAgentOf })
      const may = (role: 'recorder' | 'replayer', userId = 'u') =>
        authorize(session, { roomId: 'r', userId, userName: 'U', role }, undefined as never)
      t.equal(may('recorder'), ownsCall, place)
      t.equal(may('replayer'), isAgentOf, place)
      t.equal(may('recorder', 'v') || may('replayer', 'v'), false, `${place}: for another user`)
    }
  }
})
