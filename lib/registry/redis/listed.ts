import type { ListedNodes } from '../../../types/registry.js'

/**
 * Adds the client's `keyPrefix` to the name of the list. The client adds the prefix only to the keys of a script, and
 * the list is none of these, since its name may be only the beginning of keys.
 *
 * @throws TypeError if a script cannot read the list, in another slot of a Cluster
 */
export function locateListed ({ hash, keys }: ListedNodes, redis: object, prefix: string): ListedNodes {
  const { isCluster, options } = redis as Record<string, unknown>
  const { keyPrefix = '' } = (options ?? {}) as Record<string, unknown>
  const before = String(keyPrefix)
  const given = hash ?? keys ?? ''
  // A name that has the prefix already stays. A prefix without a separator may be a part of the name by chance.
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
