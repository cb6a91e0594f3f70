import { memberOf } from '../nodes/member.js'
import { newIncarnation } from '../nodes/node-record.js'
import type { NodeAnswer, RegisterCall } from './node-store.js'

/**
 * `first` of this process · `again` under the same incarnation, in a new epoch of the store · `renewed` under a fresh
 * incarnation, since the lease of the one before lapsed.
 */
export type RegistrationKind = 'first' | 'again' | 'renewed'

/** A registration on its way: a call for each try, and the store's answer to it. */
export interface Attempt {
  call (): Pick<RegisterCall, 'epoch' | 'member' | 'replaces'>
  /** Takes the store's answer. `retry` and `lapsed` ask for another try. */
  hear (answer: NodeAnswer): 'registered' | 'retry' | 'lapsed' | 'displaced'
}

/** Epoch and incarnation under which a node is registered. */
export interface Registration {
  readonly epoch: string
  readonly incarnation: string
  /** Whether a fresh incarnation was sent and not acknowledged: the same one is sent until the store answers. */
  isPending (): boolean
  self (): { epoch: string, member: string }
  /** All registrations that may be in the store. */
  members (): string[]
  /** @param epoch of the store, if it is known to be another one */
  attempt (kind: RegistrationKind, epoch?: string): Attempt
}

/*
 * The transitions, by the store's answer:
 *
 *   ok                          the tried incarnation is registered, in the epoch of the call
 *   epoch                       the store is in another epoch: the same incarnation is tried in that one
 *   lapsed                      the tried incarnation was registered, and its lease expired before the answer
 *                               arrived: a fresh incarnation replaces it
 *   present, first of all       an earlier process has the id: its incarnation is replaced
 *   present, of none            the store forgot the incarnation to be replaced: nothing is replaced
 *   present, of another one     a later process has the id: displaced for good
 */
export function createRegistration (id: string): Registration {
  let epoch = ''
  let incarnation = newIncarnation()
  let pending: string | undefined

  const toMember = (incarnation: string) => memberOf({ id, incarnation })

  return {
    get epoch () {
      return epoch
    },
    get incarnation () {
      return incarnation
    },
    isPending: () => pending !== undefined,
    self: () => ({ epoch, member: toMember(incarnation) }),
    members: () => [incarnation, ...pending === undefined ? [] : [pending]].map(toMember),
    attempt (kind, era = epoch) {
      let replaces = kind === 'first' ? '' : incarnation
      if (kind === 'renewed') pending ??= newIncarnation()
      const tried = () => pending ?? incarnation
      return {
        call: () => ({ epoch: era, member: toMember(tried()), replaces }),
        hear (answer) {
          switch (answer.outcome) {
            case 'ok':
              [epoch, incarnation, pending] = [era, tried(), undefined]
              return 'registered'
            case 'epoch':
              era = answer.epoch
              return 'retry'
            case 'lapsed':
              replaces = incarnation = tried()
              pending = newIncarnation()
              return 'lapsed'
            case 'present':
              if (kind !== 'first' && answer.incarnation !== '') return 'displaced'
              replaces = answer.incarnation
              return 'retry'
          }
        }
      }
    }
  }
}
