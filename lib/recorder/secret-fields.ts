// Remembers which fields hold secrets, from the import of this module on: a field that shows its password looks like
// any other, as does the field that replaces it.
import { isElement, watchRoots } from './roots.js'
import type { Root } from './roots.js'

/** Fields that are secret as they stand. */
export const SECRET_FIELDS = 'input[type="password" i], [data-rr-is-password], ' +
  '[autocomplete~="current-password" i], [autocomplete~="new-password" i], [autocomplete~="one-time-code" i], ' +
  '[autocomplete^="cc-" i], [autocomplete*=" cc-" i]'

const WAS_SECRET = /^password$|(?:^|\s)(?:cc-|one-time-code|current-password|new-password)/i
/** Fonts that draw every letter as a dot. */
const DOTS = /text-security|dotsfont/i
const MAX_VALUES = 20

type Field = Element & { value?: unknown }

const secret = new WeakSet<Element>()
/** The last value of each secret field. The latest ones are kept even if their field is gone. */
const kept = new Set<{ value: string }>()
const valueOf = new WeakMap<Element, { value: string }>()

export function wasSecret (element: Element): boolean {
  return secret.has(element)
}

/** Whether the field holds a secret now, or has held one. */
function isSecret (element: Element): boolean {
  return secret.has(element) || element.matches(SECRET_FIELDS)
}

/** Whether the text is that of a secret field: pages show a password by a second field, too. */
function isSecretValue (text: unknown): boolean {
  if (typeof text !== 'string' || text === '') return false
  for (const { value } of kept) if (value === text) return true
  return false
}

/** Checks a field that is about to be shown. @returns whether it holds a secret, and keeps that in mind */
export function checkField (field: Field): boolean {
  if (!isSecret(field) && !hidesText(field) && !isSecretValue(field.value)) return false
  remember(field)
  return true
}

function remember (field: Field): void {
  secret.add(field)
  if (typeof field.value === 'string' && field.value !== '') keepValue(field, field.value)
}

function keepValue (field: Field, value: string): void {
  const holder = valueOf.get(field) ?? { value }
  holder.value = value
  valueOf.set(field, holder)
  kept.delete(holder)
  kept.add(holder)
  for (const oldest of kept) {
    if (kept.size <= MAX_VALUES) return
    kept.delete(oldest)
  }
}

function hidesText (element: Element): boolean {
  const style = element.ownerDocument.defaultView?.getComputedStyle(element)
  if (style === undefined) return false
  const security = style.getPropertyValue('-webkit-text-security')
  return (security !== '' && security !== 'none') || DOTS.test(style.fontFamily)
}

let isWatching = false

export function watchSecretFields (): void {
  if (isWatching) return
  isWatching = true
  const observer = new MutationObserver((records) => records.forEach(readChange))
  watchRoots((root) => watch(root, observer))
}

function watch (root: Root, observer: MutationObserver): void {
  observer.observe(root, {
    subtree: true, childList: true, attributeFilter: ['type', 'autocomplete'], attributeOldValue: true
  })
  root.addEventListener('input', readInput, { capture: true, passive: true })
  root.addEventListener('change', readInput, { capture: true, passive: true })
}

function readChange ({ target, oldValue, removedNodes }: MutationRecord): void {
  if (oldValue !== null && WAS_SECRET.test(oldValue) && isElement(target)) remember(target)
  removedNodes.forEach((node) => {
    if (!isElement(node)) return
    for (const field of [node, ...node.querySelectorAll('input, textarea')]) if (isSecret(field)) remember(field)
  })
}

function readInput (event: Event): void {
  const [field] = event.composedPath()
  if (isElement(field as Node | null)) checkField(field as Element)
}
