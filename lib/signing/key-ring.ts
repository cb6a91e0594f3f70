import { readKeys } from './keys.js'
import { toReason } from '../common/reason.js'
import { refusePromise } from '../common/refuse-promise.js'
import type { Key } from './keys.js'
import type { KeySource, SigningKey, SigningKeys } from '../../types/signature.js'

/** The keys of a process, as they are now. */
export interface KeyRing {
  /** The key that signs. */
  first (): Key
  /** The key of this id, if the source has it at hand. */
  get (id: string): Key | undefined
  /** The key of this id, if need be after the source has read its keys again. */
  find (id: string): Promise<Key | undefined>
  /** The function is called with the reason for the first of several failures of the source in a row. */
  onFault (listener: (reason: string) => void): void
}

/**
 * Reads keys now, and again whenever their source has other ones. While it has none that can be used, the last good
 * ones stay.
 *
 * @param mustSign whether the first key has to sign
 * @throws TypeError that names the key and the rule if the source has no usable keys to begin with
 */
export function createKeyRing (given: SigningKeys, mustSign: boolean): KeyRing {
  const source = toSource(given)
  const isFixed = isList(given)
  let seen = copyOf(currentOf(source))
  let keys = readKeys(seen, mustSign)
  let faultOfSeen: string | undefined
  let isFailing = false
  let report = (_reason: string): void => {}

  function current (): readonly Key[] {
    if (isFixed) return keys
    const fault = update()
    if (fault !== undefined && !isFailing) report(fault)
    isFailing = fault !== undefined
    return keys
  }

  /** @returns the reason if the source has no usable keys */
  function update (): string | undefined {
    try {
      const list = currentOf(source)
      if (!areEqual(list, seen)) read(copyOf(list))
      return faultOfSeen
    } catch (error) {
      return toReason(error)
    }
  }

  function read (list: readonly SigningKey[]): void {
    // A bad list is remembered too: it is not checked again for each signature.
    seen = list
    try {
      keys = readKeys(list, mustSign)
      faultOfSeen = undefined
    } catch (error) {
      // A message of readKeys holds no value.
      faultOfSeen = (error as TypeError).message
    }
  }

  const get = (id: string): Key | undefined => current().find((key) => key.id === id)

  return {
    first () {
      const key = current()[0]
      // readKeys accepts no empty list.
      if (key === undefined) throw new TypeError('no key')
      return key
    },
    get,
    async find (id) {
      const known = get(id)
      if (known !== undefined || source.refresh === undefined) return known
      await source.refresh()
      return get(id)
    },
    onFault (listener) { report = listener }
  }
}

function toSource (keys: SigningKeys): KeySource {
  if (typeof keys === 'function') return { current: keys }
  if (isList(keys)) {
    const copy = copyOf(keys)
    return { current: () => copy }
  }
  if (typeof keys.current === 'function') return keys
  throw new TypeError('"signing.keys" option must be a list, a function, or an object with a method "current"')
}

// Array.isArray does not narrow a read-only list.
function isList (keys: SigningKeys): keys is readonly SigningKey[] {
  return Array.isArray(keys)
}

function currentOf (source: KeySource): readonly SigningKey[] {
  const list: unknown = source.current()
  refusePromise(list, '"signing.keys"')
  if (!Array.isArray(list)) throw new TypeError('"signing.keys" option must give a list of keys')
  return list
}

function copyOf (list: readonly SigningKey[]): readonly SigningKey[] {
  return list.map((key) => ({ ...key }))
}

// A list of the host is not checked yet.
function areEqual (list: ReadonlyArray<SigningKey | null>, seen: readonly SigningKey[]): boolean {
  return list.length === seen.length && list.every((key, index) => {
    const other = seen[index]
    return key?.id === other?.id && key?.secret === other?.secret && key?.privateKey === other?.privateKey &&
      key?.publicKey === other?.publicKey
  })
}
