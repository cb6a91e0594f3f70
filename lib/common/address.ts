import { BlockList, isIP } from 'node:net'
import { remember } from './remember.js'

const MAX_LENGTH = 2048
/** Addresses come from at most 10,000 records, twice each while they change. */
const MAX_REMEMBERED = 20_000
const EXPLICIT_DEFAULT_PORT = { 'wss:': /^(wss:\/\/[^/?#]+):443(?=\/|$)/, 'ws:': /^(ws:\/\/[^/?#]+):80(?=\/|$)/ }

// Fetch standard, "bad port": a browser refuses to open a WebSocket to these ports.
const BAD_PORTS = new Set(('0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 ' +
  '111 113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 ' +
  '587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 ' +
  '6697 10080').split(' '))

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export interface AddressRules {
  /** Host names, addresses or CIDR ranges. If omitted, every host passes. */
  allowedHosts?: ReadonlyArray<string> | undefined
  /** Allows `ws:` to hosts beyond loopback. */
  allowInsecure?: boolean | undefined
}

/** Returns the reason why an address is refused, or nothing if the address may be sent to a client. */
export type AddressCheck = (address: string) => string | undefined

/** The rules for every WebSocket address, from any source. The rules of the gateway decide about `ws:`. */
export function addressFault (address: unknown): string | undefined {
  if (typeof address !== 'string' || address === '') return 'must be a non-empty string'
  if (address.length > MAX_LENGTH) return `must not be longer than ${MAX_LENGTH} characters`
  if (!URL.canParse(address)) return 'must be a URL'
  const url = new URL(address)
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') return 'must begin with wss://'
  if (url.username !== '' || url.password !== '') return 'must not carry credentials'
  if (address.includes('?') || address.includes('#')) return 'must not carry a query or a fragment'
  if (url.hostname.endsWith('.')) return 'must not have a host with a trailing dot'
  if (BAD_PORTS.has(url.port)) return `must not have port ${url.port}, which browsers refuse`
  // A look-alike host gets past a check if two parsers read the address differently.
  const written = address.replace(EXPLICIT_DEFAULT_PORT[url.protocol], '$1')
  if (url.href !== written && url.href !== `${written}/`) return 'must be written as a URL parser prints it'
  return undefined
}

/** @throws TypeError if an entry of `allowedHosts` is neither a name, an address nor a CIDR range */
export function createAddressCheck ({ allowedHosts, allowInsecure = false }: AddressRules = {}): AddressCheck {
  const isAllowed = allowedHosts === undefined ? () => true : createHostMatcher(allowedHosts)
  return remember((address) => {
    const fault = addressFault(address)
    if (fault !== undefined) return fault
    const url = new URL(address)
    const host = bareHost(url)
    if (url.protocol === 'ws:' && !allowInsecure && !isLoopback(host)) return 'must begin with wss://'
    if (!isAllowed(host)) return 'must have a host that "allowedHosts" lists'
    return undefined
  }, MAX_REMEMBERED)
}

/**
 * The external address of one node. The answer of provision leads to the entry of the deployment, and the outer load
 * balancer tells the nodes apart by the path.
 *
 * @param answer an address, `host:port` or a WebSocket URL
 * @param wssUrl the node's own address
 * @returns the entry with the path of the node; not checked
 */
export function withNodePath (answer: string, wssUrl: string): string {
  const entry = entryOf(answer)
  const path = pathOf(wssUrl)
  const rest = entry.indexOf('/', entry.indexOf('://') + 3)
  // A query or fragment behind the host is left in place, so that the check of the result refuses it.
  if (rest === -1) return entry + path
  return /[?#\\\s]/.test(entry.slice(rest)) ? entry : entry.slice(0, rest) + path
}

function entryOf (answer: string): string {
  return answer.includes('://') ? answer : `wss://${isIP(answer) === 6 ? `[${answer}]` : answer}`
}

const pathOf = remember((wssUrl) => new URL(wssUrl).pathname, MAX_REMEMBERED)

function createHostMatcher (entries: ReadonlyArray<string>): (host: string) => boolean {
  const names = new Set<string>()
  const ranges = new BlockList()
  for (const entry of entries) {
    const [address = '', bits, ...more] = entry.split('/')
    const family = isIP(address)
    const width = bits === undefined ? undefined : Number(bits)
    if (family !== 0 && bits === undefined) ranges.addAddress(address, `ipv${family as 4 | 6}`)
    else if (family !== 0 && /^\d{1,3}$/.test(bits ?? '') && Number(width) <= (family === 4 ? 32 : 128) && !more.length) {
      ranges.addSubnet(address, Number(width), `ipv${family as 4 | 6}`)
    } else if (bits === undefined && isHostName(entry)) names.add(entry)
    else throw new TypeError(`"allowedHosts" option: "${entry}" is neither a lower-case name, an address nor a range`)
  }
  return (host) => {
    const family = isIP(host)
    return family === 0 ? names.has(host) : ranges.check(host, `ipv${family as 4 | 6}`)
  }
}

// 127.1 and 0x7f.1 look like names, but a URL parser turns them into addresses.
function isHostName (entry: string): boolean {
  return /^(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(entry) && URL.canParse(`wss://${entry}`) &&
    new URL(`wss://${entry}`).hostname === entry
}

function bareHost (url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

/** Whether the URL leads to this machine only. */
export function isLoopbackUrl (url: URL): boolean {
  return isLoopback(bareHost(url))
}

function isLoopback (host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host === 'localhost' : loopback.check(host, `ipv${family as 4 | 6}`)
}
