import { InternalError, NoLiveNodeError, ProvisionUnavailableError, RegistryUnavailableError } from './errors.js'
import { withNodePath } from './address.js'
import type { AddressCheck } from './address.js'
import type { Call, Dependency } from './dependency.js'
import type { Subject } from './signature.js'
import type {
  Assignment, ConnectionInfo, ConnectionInfoBody, NodeRef, NodeView, Provision, Registry, SelectNode, Session
} from '../types/index.js'

export interface ConnectionInfoParts {
  registry: Registry
  provision: Provision
  registryCalls: Dependency
  provisionCalls: Dependency
  selectNode?: SelectNode | undefined
  addressFault: AddressCheck
  issue (subject: Subject): string
}

/**
 * The use case: session and body in; node, external address and signature out. Knows neither Fastify nor HTTP.
 */
export function createConnectionInfo (parts: ConnectionInfoParts) {
  const { registry, provision, registryCalls, provisionCalls, addressFault, issue } = parts
  const accepts = rememberPerNode((node) => addressFault(node.wssUrl) === undefined &&
    (node.wssUrlOut === undefined || addressFault(node.wssUrlOut) === undefined))
  const selectNode = parts.selectNode && blamingTheHost(parts.selectNode)

  async function findNode (session: Session, roomId: string, call: Call): Promise<Assignment> {
    const room = { tenant: session.tenantId, room: roomId }
    const assignment = await registryCalls.ask(call, (signal) => registry.assign(room, { signal, accepts, selectNode }))
    call.nodeId = assignment.node.id
    // A binding may be older than the rules for addresses, or made under other ones.
    const fault = addressFault(assignment.node.wssUrl)
    if (fault !== undefined) throw new NoLiveNodeError({ cause: new TypeError(`wssUrl of the node ${fault}`) })
    return assignment
  }

  async function findExternalUrl (node: NodeRef, session: Session, call: Call): Promise<string | null> {
    const given = node.wssUrlOut ??
      await provisionCalls.ask(call, (signal) => provision.externalUrl(node, session, signal))
    if (given === null) return null
    const url = node.wssUrlOut ?? withNodePath(given, node.wssUrl)
    const fault = addressFault(url)
    if (fault !== undefined) throw new ProvisionUnavailableError({ cause: new TypeError(`the answer ${fault}`) })
    return url
  }

  return async function connectionInfo (
    session: Session, body: ConnectionInfoBody, call: Call
  ): Promise<ConnectionInfo> {
    provision.prefetch?.(session)
    const { node, issuedAt, joinOnly } = await findNode(session, body.roomId, call)
    const wssUrlOut = await findExternalUrl(node, session, call)
    // A choice that took longer than the request may take is never signed: it may be another one by now. Nor is one
    // that was made without the store.
    if (call.budget.isSpent() || joinOnly) throw new RegistryUnavailableError()
    const signature = issue({
      tenant: session.tenantId,
      room: body.roomId,
      user: body.userId,
      name: body.userName,
      role: body.role,
      node,
      issuedAt
    })
    return { roomId: body.roomId, wssUrl: node.wssUrl, ...(wssUrlOut !== null && { wssUrlOut }), signature }
  }
}

// A registry asks for every candidate of every room, and the views live as long as one reading of the nodes.
function rememberPerNode (decide: (node: NodeView) => boolean): (node: NodeView) => boolean {
  const known = new WeakMap<NodeView, boolean>()
  return (node) => {
    const held = known.get(node)
    if (held !== undefined) return held
    const decided = decide(node)
    known.set(node, decided)
    return decided
  }
}

// Called inside the registry, whose fault it is not when the host's own function throws.
function blamingTheHost (selectNode: SelectNode): SelectNode {
  return (candidates, context) => {
    try {
      return selectNode(candidates, context)
    } catch (cause) {
      throw new InternalError({ cause })
    }
  }
}
