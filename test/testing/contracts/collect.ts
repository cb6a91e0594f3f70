import type { ContractTest } from '../../../types/contracts.js'

/**
 * The smallest runner: gathers the tests that fail, and why.
 *
 * @param isWanted tells by its name whether a test is run
 */
export async function collectFailures (
  run: (test: ContractTest) => Promise<void>, isWanted: (name: string) => boolean = () => true
): Promise<Map<string, string>> {
  const failures = new Map<string, string>()
  await run(async (name, check) => {
    if (isWanted(name)) await check().catch((error: Error) => failures.set(name, error.message))
  })
  return failures
}
