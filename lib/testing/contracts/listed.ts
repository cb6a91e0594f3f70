import { ASSIGNING_LISTED } from './listed/assigning.js'
import { prepareListed } from './listed/fixture.js'
import { UNREADABLE_RECORDS } from './listed/records.js'
import { readBindingOptions } from './options.js'
import { LONG_LINGER } from './registry/fixture.js'
import { LINGERING } from './registry/lingering.js'
import { registerSentences } from './sentences.js'
import type { BindingContractOptions, MakeListed } from '../../../types/contracts.js'

/** Runs every sentence about nodes that another program lists in a runner. */
export async function listedContract (options: BindingContractOptions, make: MakeListed): Promise<void> {
  const settings = readBindingOptions('listedContract', options)
  const { test, linger } = settings
  await Promise.all([
    registerSentences(test, { ...ASSIGNING_LISTED, ...UNREADABLE_RECORDS },
      async () => await prepareListed(make, LONG_LINGER, settings)),
    registerSentences(test, LINGERING, async () => await prepareListed(make, linger, settings))
  ])
}
