import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Code block of a document. */
export interface DocBlock {
  /** File and line, for messages. */
  place: string
  file: string
  language: string
  code: string
  /** Reason, from a comment above, for exempting the block from checks. */
  exempt?: string
}

/** Paths of the project's documents, from its root. */
export function listDocuments (): string[] {
  const below = (folder: string) => readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules')).map((name) => `${folder}/${name}`)
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  return [...top, 'demo/README.md', ...below('docs'), ...below('examples')]
}

/** Reads the fenced code blocks that name a language. A preceding `<!-- not run: reason -->` exempts a block. */
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
