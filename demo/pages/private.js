// Parts that never leave the page: all marked parts, and each field that is or was one for a password.
export const PRIVATE = '[data-private], input[type="password" i], [data-rr-is-password]'

const META = 4
const INCREMENTAL = 3
const MUTATION = 0

const listeners = new Set()

// From the start, not only while the page is shared: a field that shows its password looks like any other.
new window.MutationObserver((records) => {
  for (const { target, attributeName, oldValue } of records) {
    if (attributeName === 'type' && oldValue?.toLowerCase() === 'password') target.setAttribute('data-private', '')
  }
  for (const listener of listeners) listener()
}).observe(document, { subtree: true, attributeFilter: ['type', 'data-private'], attributeOldValue: true })

/** @returns stops watching */
export function watchPrivate (onChange) {
  listeners.add(onChange)
  return () => listeners.delete(onChange)
}

/**
 * rrweb looks for marks when it first reads a part of the page, and later only at the nearest element of a change:
 * changes of a part that was marked later would still be sent.
 *
 * @param nodeOf the DOM node with a given number
 * @returns the event as it may be sent, or nothing
 */
export function withoutPrivate (event, nodeOf) {
  const { type, data } = event
  // An address may hold a token, and the replay does not need it.
  if (type === META) return { ...event, data: { ...data, href: 'about:blank' } }
  if (type !== INCREMENTAL) return event
  const isOpen = (id) => !isPrivate(nodeOf(id))
  if (data.source !== MUTATION) return data.id === undefined || isOpen(data.id) ? event : undefined
  const { texts, attributes, adds } = data
  return {
    ...event,
    data: {
      ...data,
      texts: texts.filter(({ id }) => isOpen(id)),
      attributes: attributes.filter(({ id }) => isOpen(id)),
      adds: adds.filter(({ parentId }) => isOpen(parentId))
    }
  }
}

function isPrivate (node) {
  if (node === null) return true
  if (node.nodeType === window.Node.DOCUMENT_NODE) return false
  const element = node.nodeType === window.Node.ELEMENT_NODE ? node : node.parentElement
  if (element !== null && element.closest(PRIVATE) !== null) return true
  const root = node.getRootNode()
  return root instanceof window.ShadowRoot && isPrivate(root.host)
}
