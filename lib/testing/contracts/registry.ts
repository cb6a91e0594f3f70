import { STARTS_AND_CLOSES } from './adapter.js'
import { readBindingOptions } from './options.js'
import { ASSIGNING } from './registry/assigning.js'
import { CHOOSING } from './registry/choosing.js'
import { CLOSING } from './registry/closing.js'
import { LONG_LINGER, prepareRegistry, prepareStarted } from './registry/fixture.js'
import { LINGERING } from './registry/lingering.js'
import { SHOWING } from './registry/showing.js'
import { registerSentences } from './sentences.js'
import type { BindingContractOptions, MakeRegistry } from '../../../types/contracts.js'

/** Runs every sentence of `Registry` in a runner; those of `Membership` are in `membershipContract`. */
export async function registryContract (options: BindingContractOptions, make: MakeRegistry): Promise<void> {
  const settings = readBindingOptions('registryContract', options)
  const { test, linger } = settings
  await Promise.all([
    registerSentences(test, { ...ASSIGNING, ...CHOOSING, ...SHOWING },
      async () => await prepareStarted(make, LONG_LINGER, settings)),
    registerSentences(test, LINGERING, async () => await prepareStarted(make, linger, settings)),
    registerSentences(test, { ...STARTS_AND_CLOSES, ...CLOSING },
      async () => await prepareRegistry(make, LONG_LINGER, settings))
  ])
}
