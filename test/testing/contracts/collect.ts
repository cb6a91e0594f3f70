import type { ContractTest } from '../../../types/contracts.js'

/** The smallest runner: gathers the tests that fail, and why. */
export async function collectFailures (run: (test: ContractTest) => Promise<void>): Promise<Map<string, string>> {
  const failures = new Map<string, string>()
  await run(async (name, check) => {
    await check().catch((error: Error) => failures.set(name, error.message))
  })
  return failures
}
