import { readAttributes } from './attributes.js'
import { readNode, tellLeftOutAttributes } from './nodes.js'
import { isId, isInteger, isList, isObject, isText, listOf, numberOf, objectsOf, textOf } from './values.js'
import type { Known } from './nodes.js'
import type { Fields } from './values.js'

const MAX_PIXELS = 20_000
const MAX_POSITIONS = 100
const MAX_RULES = 100_000
const MAX_SHEETS = 1000
/** Levels of nested rules. */
const MAX_LEVELS = 20

export const isSize = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_PIXELS

const readPosition = ({ x, y, id, timeOffset }: Fields) => ({
  x: numberOf(x), y: numberOf(y), id: isId(id) ? id : -1, timeOffset: Math.min(0, Math.max(-500, numberOf(timeOffset)))
})

/** A move without positions would stop the clock of the replayer. */
function move ({ positions }: Fields): Fields | undefined {
  const read = objectsOf(positions).slice(-MAX_POSITIONS).map(readPosition)
  return read.length > 0 ? { positions: read } : undefined
}

/** Place of a rule in a sheet, with those of the rules around it. */
const isPlace = (value: unknown) =>
  isList(value) && value.length > 0 && value.length <= MAX_LEVELS && value.every(isInteger)

const readRule = ({ rule, index }: Fields) => ({
  ...isText(rule) && { rule },
  ...(isInteger(index) || isPlace(index)) && { index }
})
const readRules = (value: unknown) => objectsOf(value).slice(0, MAX_RULES).map(readRule)

/** A sheet belongs to an element, or is one that a script made. */
function readSheetId ({ id, styleId }: Fields): Fields | undefined {
  if (isId(styleId)) return { styleId }
  return isId(id) ? { id } : undefined
}

function changeRules (data: Fields): Fields | undefined {
  const sheet = readSheetId(data)
  const { adds, removes, replace, replaceSync } = data
  return sheet && {
    ...sheet,
    adds: readRules(adds),
    removes: readRules(removes),
    ...isText(replace) && { replace },
    ...isText(replaceSync) && { replaceSync }
  }
}

function changeDeclaration (data: Fields): Fields | undefined {
  const sheet = readSheetId(data)
  const { index, set, remove } = data
  if (sheet === undefined || !isPlace(index)) return undefined
  return {
    ...sheet,
    index,
    ...isObject(set) && { set: readDeclaration(set) },
    ...isObject(remove) && { remove: { property: textOf(remove.property) } }
  }
}

const readDeclaration = ({ property, value, priority }: Fields) => ({
  property: textOf(property), value: isText(value) ? value : null, ...isText(priority) && { priority }
})

function adoptSheets ({ id, styleIds, styles }: Fields): Fields | undefined {
  if (!isId(id)) return undefined
  return {
    id,
    styleIds: listOf(styleIds).filter(isId).slice(0, MAX_SHEETS),
    styles: objectsOf(styles).filter(({ styleId }) => isId(styleId)).slice(0, MAX_SHEETS)
      .map(({ styleId, rules }) => ({ styleId, rules: readRules(rules) }))
  }
}

/** Each node arrives separately, and without its children. */
function readAdd ({ parentId, nextId, node }: Fields, known: Known): Fields {
  const alone = isObject(node) ? { ...node, childNodes: [] } : node
  return {
    parentId,
    nextId: isId(nextId) ? nextId : null,
    node: readNode(alone, known, { left: 1, seen: new Set() }, 0)
  }
}

/** A recorder never uses the number of an element for another one, and another one would get its attributes. */
function isSameElement (known: Known, id: number, was: string | undefined): boolean {
  const isSame = was === undefined || known.names.get(id) === was
  if (!isSame) known.names.set(id, was)
  return isSame
}

function readAdds (adds: unknown, known: Known): Fields[] {
  const read = []
  for (const add of objectsOf(adds)) {
    if (!isId(add.parentId) || (isObject(add.node) && add.node.type === 0)) continue
    const id = isObject(add.node) && isId(add.node.id) ? add.node.id : 0
    const was = known.names.get(id)
    const safe = readAdd(add, known)
    if (isSameElement(known, id, was)) read.push(safe)
  }
  return read
}

function readAttributeChange ({ id, attributes }: Fields, known: Known): Fields {
  const name = isId(id) ? known.names.get(id) : undefined
  const read = name === undefined ? {} : readAttributes(attributes, name)
  tellLeftOutAttributes(read, known)
  return { id, attributes: read }
}

function mutate ({ adds, removes, texts, attributes }: Fields, known: Known): Fields {
  const withId = (list: unknown) => objectsOf(list).filter(({ id }) => isId(id))
  return {
    adds: readAdds(adds, known),
    removes: withId(removes).filter(({ parentId }) => isId(parentId))
      .map(({ id, parentId, isShadow }) => ({ id, parentId, ...isShadow === true && { isShadow } })),
    texts: withId(texts).map(({ id, value }) => ({ id, value: textOf(value) })),
    attributes: withId(attributes).map((it) => readAttributeChange(it, known))
  }
}

const MOUSE_ACTIONS: readonly unknown[] = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]

/** Readers by rrweb's number for the kind of change. Kinds not listed are not shown: media, canvas, fonts, logs. */
export const CHANGES = new Map<unknown, (data: Fields, known: Known) => Fields | undefined>([
  [0, mutate],
  [1, move],
  [2, ({ type, id, x, y }) =>
    MOUSE_ACTIONS.includes(type) && isId(id) ? { type, id, x: numberOf(x), y: numberOf(y) } : undefined],
  [3, ({ id, x, y }) => isId(id) ? { id, x: numberOf(x), y: numberOf(y) } : undefined],
  [4, ({ width, height }) => isSize(width) && isSize(height) ? { width, height } : undefined],
  [5, ({ id, text, isChecked }) => isId(id) && isText(text) ? { id, text, isChecked: isChecked === true } : undefined],
  [6, move],
  [8, changeRules],
  [12, move],
  [13, changeDeclaration],
  [15, adoptSheets]
])
