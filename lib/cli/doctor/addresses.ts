import { createAddressCheck } from '../../common/address.js'
import { fault, ok, warning } from './finding.js'
import { toNames } from './names.js'
import type { Finding } from './finding.js'
import type { OperatedNode } from '../../../types/operations.js'

const MAX_LINES = 10

type Addressed = OperatedNode & { wssUrl: string }

/** Judges the addresses of the living nodes: two nodes at one address get each other's clients. */
export function judgeAddresses (nodes: OperatedNode[]): Finding[] {
  const living = nodes.filter(isAddressed)
  if (living.length === 0) return []
  const findings = [...judgeInsecure(living), ...judgeShared(living), ...judgePaths(living)]
  if (findings.length === 0) return [ok('addresses', 'each node has addresses of its own')]
  return findings.slice(0, MAX_LINES)
}

function isAddressed (node: OperatedNode): node is Addressed {
  return node.wssUrl !== undefined && node.state !== 'lapsed'
}

function judgeInsecure (nodes: Addressed[]): Finding[] {
  const check = createAddressCheck()
  const refused = nodes.filter(({ wssUrl, wssUrlOut = wssUrl }) => [wssUrl, wssUrlOut].some((url) => check(url)))
  if (refused.length === 0) return []
  return [warning('addresses', `without TLS, so gateways hand them out only with "allowInsecure": ${toNames(refused)}`,
    'give these nodes addresses that begin with wss://')]
}

function judgeShared (nodes: Addressed[]): Finding[] {
  const urlsOf = ({ wssUrl, wssUrlOut = wssUrl }: Addressed) => new Set([wssUrl, wssUrlOut])
  return groupsOf(nodes, (node) => [...urlsOf(node)]).map(([url, group]) =>
    fault('addresses', `${toNames(group)} have the same address ${url}`, 'give each node an address of its own'))
}

/** The external address that CC-Provision leads to differs by the path of the node only. */
function judgePaths (nodes: Addressed[]): Finding[] {
  const mapped = nodes.filter(({ wssUrlOut }) => wssUrlOut === undefined)
  const groups = groupsOf(mapped, ({ wssUrl }) => [new URL(wssUrl).pathname])
  const differing = groups.filter(([, group]) => new Set(group.map(({ wssUrl }) => wssUrl)).size > 1)
  return differing.map(([path, group]) =>
    warning('addresses', `${toNames(group)} have the same path ${path}, and so the same external address`,
      'give each node a path or a "wssUrlOut" of its own'))
}

/** Values that more than one node has. */
function groupsOf (nodes: Addressed[], valuesOf: (node: Addressed) => string[]): Array<[string, Addressed[]]> {
  const groups = new Map<string, Addressed[]>()
  for (const node of nodes) {
    for (const value of valuesOf(node)) groups.set(value, [...groups.get(value) ?? [], node])
  }
  return [...groups].filter(([, group]) => group.length > 1)
}
