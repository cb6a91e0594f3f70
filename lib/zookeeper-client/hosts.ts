const DEFAULT_PORT = 2181

export interface ZooKeeperServer {
  host: string
  port: number
}

export interface ZooKeeperHosts {
  servers: ZooKeeperServer[]
  /** Empty, or the prefix of all paths. */
  chroot: string
}

/**
 * Parses `host:port,host:port/chroot`; an IPv6 address is in brackets.
 *
 * @throws TypeError that quotes no part of the text
 */
export function parseHosts (hosts: string): ZooKeeperHosts {
  const slash = hosts.indexOf('/')
  const list = slash === -1 ? hosts : hosts.slice(0, slash)
  const path = slash === -1 ? '/' : hosts.slice(slash)
  assertPath(path)
  return { servers: list.split(',').map((entry) => parseServer(entry.trim())), chroot: path === '/' ? '' : path }
}

function parseServer (entry: string): ZooKeeperServer {
  const found = /^(?:\[(?<v6>[\da-f:.]+(?:%\w+)?)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/i.exec(entry)?.groups
  const host = found?.v6 ?? found?.name
  const port = Number(found?.port ?? DEFAULT_PORT)
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError('"hosts" must be a list as in host:port,host:port/chroot')
  }
  return { host, port }
}

/** The server's own rule for paths, which rejects all characters outside the basic plane. */
const FORBIDDEN = /\/\/|\/\.{1,2}(?:\/|$)|[\p{Cc}\ud800-\uf8ff\ufff0-\u{10ffff}]/u

export function assertPath (path: string): void {
  const isPath = path === '/' || (path.startsWith('/') && !path.endsWith('/') && !FORBIDDEN.test(path))
  if (!isPath) throw new TypeError('a path must be absolute, without empty or relative names and control characters')
}
