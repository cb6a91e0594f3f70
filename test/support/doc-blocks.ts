import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A code block of a document. */
export interface DocBlock {
  /** File and line, for messages. */
  place: string
  file: string
  language: string
  code: string
  /** The reason that a comment above gives for not holding the block to anything. */
  exempt?: string
}

/** Documents of the project, from its root. */
export function listDocuments (): string[] {
  const below = (folder: string) => readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules')).map((name) => `${folder}/${name}`)
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  return [...top, 'demo/README.md', ...below('docs'), ...below('examples')]
}

/** Fenced blocks with a language. `<!-- not run: reason -->` above one exempts it. */
export function readBlocks (file: string): DocBlock[] {
  const text = readFileSync(ROOT + file, 'utf8')
  const found = text.matchAll(/(?:^<!-- not run: ([^\n]+) -->\n)?^```(\w+)[^\n]*\n([^]*?)^```$/gm)
  return [...found].map(({ 1: exempt, 2: language = '', 3: code = '', index }) => ({
    place: `${file}:${text.slice(0, index).split('\n').length}`,
    file,
    language,
    code,
    ...exempt !== undefined && { exempt }
  }))
}
