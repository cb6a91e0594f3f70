import ts from 'typescript'
import { ROOT } from './doc-blocks.js'

const OPTIONS: ts.CompilerOptions = {
  noLib: true, types: [], target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext
}

/**
 * Reads the defaults that source files give to their options by `const { name = default } = options`.
 *
 * @returns for each file the names with a literal as default, as it is written in code; constants are resolved
 */
export function readSourceDefaults (files: readonly string[]): Map<string, Record<string, string>> {
  const program = ts.createProgram(files.map((file) => ROOT + file), OPTIONS)
  const checker = program.getTypeChecker()
  return new Map(files.map((file) => {
    const source = program.getSourceFile(ROOT + file)
    const elements = source === undefined ? [] : findElements(source)
    return [file, Object.fromEntries(elements.flatMap((element) => {
      const text = element.initializer && toLiteral(element.initializer, checker)
      return text === undefined ? [] : [[(element.propertyName ?? element.name).getText(), text]]
    }))]
  }))
}

function findElements (node: ts.Node): readonly ts.BindingElement[] {
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer?.getText() === 'options') {
    return node.name.elements
  }
  return ts.forEachChild(node, (child) => {
    const found = findElements(child)
    return found.length > 0 ? found : undefined
  }) ?? []
}

function toLiteral (value: ts.Expression, checker: ts.TypeChecker): string | undefined {
  if (ts.isArrayLiteralExpression(value)) return value.getText()
  const type = checker.getTypeAtLocation(value)
  if (type.isStringLiteral()) return `'${type.value}'`
  if (type.flags & ts.TypeFlags.BooleanLiteral) return checker.typeToString(type)
  return type.isNumberLiteral() ? String(type.value) : undefined
}
