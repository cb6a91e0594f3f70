// The JSON API of this page. Addresses are relative: the plugin does not know the prefix that a browser sees.
const TIMEOUT_MS = 10_000
const NOT_AUTHORIZED = '40301'

/** @throws Error in words for the operator */
async function ask (method, path, body) {
  const response = await fetch(`api/${path}`, {
    method,
    // A login page of the host is no answer.
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }).catch(() => { throw new Error('the gateway cannot be reached') })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const isSignedOut = response.type === 'opaqueredirect' || response.status === 401 || answer.retCode === NOT_AUTHORIZED
  if (isSignedOut) throw new Error('you are not signed in as an operator; sign in, then reload this page')
  throw new Error(answer.retMsg ?? `the gateway answers ${response.status}`)
}

const orderOf = (id) => `nodes/${encodeURIComponent(id)}/order`

export const api = {
  operator: async () => await ask('GET', 'operator'),
  nodes: async () => await ask('GET', 'nodes'),
  giveOrder: async (id, order) => await ask('PUT', orderOf(id), order),
  async takeBack (id, reason) {
    const query = reason === '' ? '' : `?${new URLSearchParams({ reason })}`
    return await ask('DELETE', orderOf(id) + query)
  },
  explain: async (tenant, room, history) => await ask('POST', 'rooms/explain', { tenant, room, history }),
  move: async ({ tenant, room, reason, to }) =>
    await ask('POST', 'rooms/move', { tenant, room, reason, ...to !== '' && { to } }),
  end: async (tenant, room, reason) =>
    await ask('POST', 'rooms/end', reason === '' ? { tenant, room } : { tenant, room, reason })
}
