// The processes of the demo: each knows all of its own nodes, and the registry's list of the others.
const TIMEOUT_MS = 2000
/** Clients may stay for half a second, and return over a fifth of a second. */
const DRAIN = { kind: 'drain', reason: 'drained on the topology page', deadline: 500, returnWithin: 200 }
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+)$/

/** Node to the origin of its process. */
const homes = new Map()

async function ask (origin, path, method = 'GET', body = undefined) {
  const response = await fetch(origin + path, {
    method,
    credentials: 'omit',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  })
  if (!response.ok) throw new Error(`it answered ${response.status}`)
  return await response.json()
}

function originOf ({ wssUrl }) {
  const url = new URL(wssUrl.replace(/^ws/, 'http'))
  return LOOPBACK.test(url.hostname) ? url.origin : undefined
}

/**
 * All nodes, including the last known state of those whose process cannot be asked, and the list of these processes.
 */
export async function askProcesses () {
  const own = await ask(window.location.origin, '/demo/topology/state')
  const nodes = new Map(own.nodes.map((node) => [node.id, node]))
  for (const node of own.nodes) if (node.isHere) homes.set(node.id, window.location.origin)
  const elsewhere = own.nodes.filter(({ isHere }) => !isHere).map(originOf)
  const others = new Set(elsewhere.filter((origin) => origin !== undefined))
  const unreachable = []
  await Promise.all([...others, ...homes.values()].filter(isOther).map(async (origin) => {
    try {
      const state = await ask(origin, '/demo/topology/state')
      for (const node of state.nodes.filter(({ isHere }) => isHere)) {
        nodes.set(node.id, { ...node, canAct: true })
        homes.set(node.id, origin)
      }
    } catch {
      if (others.has(origin)) unreachable.push(new URL(origin).host)
    }
  }))
  return {
    registry: own.registry,
    unreachable,
    nodes: [...nodes.values()].map((node) => ({ ...node, canAct: node.isHere || node.canAct === true }))
      .sort((a, b) => a.wssUrl < b.wssUrl ? -1 : 1)
  }
}

const isOther = (origin, at, all) => origin !== window.location.origin && all.indexOf(origin) === at

/** Stops, drains or resumes a node. Orders are in the registry, so that any process can give them. */
export async function act (id, action) {
  const order = `/admin/api/nodes/${encodeURIComponent(id)}/order`
  if (action === 'drain') return await ask(window.location.origin, order, 'PUT', DRAIN)
  if (action === 'resume') await ask(window.location.origin, order, 'DELETE')
  await ask(homes.get(id) ?? window.location.origin, `/demo/nodes/${encodeURIComponent(id)}/${action}`, 'POST')
}
