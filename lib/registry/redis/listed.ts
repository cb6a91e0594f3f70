import type { ListedNodes } from '../../../types/registry.js'

/**
 * Where the server has what the host's client calls so: a client puts its `keyPrefix` before the keys of a script, and
 * the list of nodes is none of those, since its name may be only the beginning of keys.
 *
 * @throws TypeError where nothing could be found there
 */
export function locateListed ({ hash, keys }: ListedNodes, redis: object, prefix: string): ListedNodes {
  const { isCluster, options } = redis as Record<string, unknown>
  const { keyPrefix = '' } = (options ?? {}) as Record<string, unknown>
  const before = String(keyPrefix)
  const given = hash ?? keys ?? ''
  // The whole name is understood as well; a prefix that is a mere word may be how the name itself begins.
  const name = /\W$/.test(before) && given.startsWith(before) ? given : before + given
  const tag = tagOf(before + prefix)
  if (isCluster === true && tagOf(name) !== tag) {
    throw new TypeError(`"listed" option of redisRegistry: on a Cluster ${JSON.stringify(given)} must hold the same ` +
      `{tag} as the "prefix" option, {${tag}}, since a script reads one slot alone`)
  }
  return hash === undefined ? { keys: name } : { hash: name }
}

/** The part of a key that decides its slot in a Cluster. */
const tagOf = (key: string) => /^[^{]*\{([^}]+)\}/.exec(key)?.[1]
