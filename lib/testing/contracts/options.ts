import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption } from '../../common/check-options.js'
import type { BindingContractOptions, ContractOptions, MembershipContractOptions } from '../../../types/contracts.js'

type Complete<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> }

export const CONTRACT_DEFAULTS = { patience: 20_000, linger: 1, slack: 2000, clockSkew: 1000, endsCalls: true }

const milliseconds = Type.Optional(Type.Integer({
  minimum: 1, description: 'an integer of at least 1, in milliseconds'
}))

const EVERY = { test: FunctionOption('a function (name, run)'), patience: milliseconds }
const OF_BINDINGS = {
  ...EVERY,
  linger: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1, in seconds' })),
  slack: milliseconds,
  clockSkew: milliseconds
}
const OF_MEMBERSHIPS = { ...OF_BINDINGS, endsCalls: Type.Optional(Type.Boolean({ description: 'true or false' })) }

const closed = { additionalProperties: false }
const Options = Type.Object(EVERY, closed)
const BindingOptions = Type.Object(OF_BINDINGS, closed)
const MembershipOptions = Type.Object(OF_MEMBERSHIPS, closed)

/** @throws TypeError that names the option */
export function readOptions (of: string, options: ContractOptions): Complete<ContractOptions> {
  checkOptions(of, Options, options)
  const { test, patience = CONTRACT_DEFAULTS.patience } = options
  return { test, patience }
}

/** @throws TypeError that names the option */
export function readBindingOptions (of: string, options: BindingContractOptions): Complete<BindingContractOptions> {
  checkOptions(of, BindingOptions, options)
  const {
    test,
    patience = CONTRACT_DEFAULTS.patience,
    linger = CONTRACT_DEFAULTS.linger,
    slack = CONTRACT_DEFAULTS.slack,
    clockSkew = CONTRACT_DEFAULTS.clockSkew
  } = options
  return { test, patience, linger, slack, clockSkew }
}

/** @throws TypeError that names the option */
export function readMembershipOptions (
  of: string, { endsCalls, ...others }: MembershipContractOptions
): Complete<MembershipContractOptions> {
  checkOptions(of, MembershipOptions, { ...others, ...endsCalls !== undefined && { endsCalls } })
  return { ...readBindingOptions(of, others), endsCalls: endsCalls ?? CONTRACT_DEFAULTS.endsCalls }
}
