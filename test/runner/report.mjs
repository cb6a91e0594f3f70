import { Readable } from 'node:stream'
import { failuresOf } from './tap-output.mjs'

/** More failures are no accident: nothing runs again. */
const MOST_AGAIN = 5

/**
 * Passes the results of test processes on to tap, but holds back those that failed, until they have run once more.
 *
 * @param {import('tap').Test} t
 */
export function createReport (t) {
  /** @type {Array<{ files: string[], result: Result }>} */
  const failed = []

  /** @param {string[]} files @param {Result} result */
  async function pass (files, { output, fault }) {
    const name = nameOf(files)
    await t.stdin(name, { tapStream: Readable.from(output) })
    // Such a process may have printed good results before it failed.
    if (fault !== undefined && !/^ *not ok /m.test(output)) t.fail(`${name} ${fault}`)
  }

  /** @param {string[]} files @param {Result} result */
  function tell (files, { output, fault }) {
    t.comment(`SECOND TRY of ${nameOf(files)}, which ${fault} beside others:\n${failuresOf(output)}`)
  }

  return {
    /** @param {string[]} files @param {Result} result */
    async add (files, result) {
      if (result.fault === undefined) await pass(files, result)
      else failed.push({ files, result })
    },

    /** @param {(files: string[]) => Promise<Result>} run */
    async end (run) {
      const isTriedAgain = failed.length <= MOST_AGAIN
      for (const { files, result } of failed) {
        if (isTriedAgain) tell(files, result)
        await pass(files, isTriedAgain ? await run(files) : result)
      }
    }
  }
}

/** @param {string[]} files */
function nameOf (files) {
  return files.length === 1 ? files[0] : `${files[0]} and ${files.length - 1} more`
}

/** @typedef {{ output: string, fault?: string }} Result */
