import { LONG_LINGER, prepareStarted } from './registry/fixture.js'
import { HISTORY } from './operations/history.js'
import { MOVING } from './operations/moving.js'
import { ORDERING } from './operations/ordering.js'
import { readBindingOptions } from './options.js'
import { registerSentences } from './sentences.js'
import type { BindingContractOptions, MakeRegistry } from '../../../types/contracts.js'

/** Runs every sentence of `RegistryOperations` in a runner. */
export async function operationsContract (options: BindingContractOptions, make: MakeRegistry): Promise<void> {
  const settings = readBindingOptions('operationsContract', options)
  const sentences = { ...ORDERING, ...MOVING, ...HISTORY }
  await registerSentences(settings.test, sentences, async () => await prepareStarted(make, LONG_LINGER, settings))
}
