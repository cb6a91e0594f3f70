import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Expression {
  /** File and line. */
  place: string
  source: string
  flags: string
}

/** Finds all regular expressions in the files of a folder: literals, and strings in the form of one, as in schemas. */
export function expressionsIn (folder: string): Expression[] {
  const files = readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[jt]s$/.test(name))
  return files.flatMap((name) => expressionsOf(`${folder}/${name}`))
}

function expressionsOf (file: string): Expression[] {
  const tree = ts.createSourceFile(file, readFileSync(root + file, 'utf8'), ts.ScriptTarget.Latest, true)
  const found: Expression[] = []
  const visit = (node: ts.Node): void => {
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
    const place = `${file}:${line + 1}`
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      found.push({ place, source: node.text.slice(1, end), flags: node.text.slice(end + 1) })
    }
    // The flags are those of ajv and TypeBox.
    if (ts.isStringLiteral(node) && /^\^.+\$$/.test(node.text)) found.push({ place, source: node.text, flags: 'u' })
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}
