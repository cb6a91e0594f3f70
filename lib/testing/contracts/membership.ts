import { CLAIMED_LONG, CLAIMING } from './membership/claiming.js'
import { DISPLACING } from './membership/displacing.js'
import { ENDED_CALLS } from './membership/ended-calls.js'
import { JOINING } from './membership/joining.js'
import { readMembershipOptions } from './options.js'
import { LONG_LINGER, prepareStarted } from './registry/fixture.js'
import { registerSentences } from './sentences.js'
import type { MakeRegistry, MembershipContractOptions } from '../../../types/contracts.js'

/** Runs every sentence of `Membership`, and of ended calls, in a runner. */
export async function membershipContract (options: MembershipContractOptions, make: MakeRegistry): Promise<void> {
  const settings = readMembershipOptions('membershipContract', options)
  const { test, linger, endsCalls } = settings
  await Promise.all([
    registerSentences(test, { ...JOINING, ...CLAIMING, ...DISPLACING, ...endsCalls ? ENDED_CALLS : {} },
      async () => await prepareStarted(make, LONG_LINGER, settings)),
    registerSentences(test, CLAIMED_LONG, async () => await prepareStarted(make, linger, settings))
  ])
}
