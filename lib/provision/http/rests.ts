import { createTenantCache } from '../../common/tenant-cache.js'
import type { Question } from './kept-answers.js'

/** Failures in a row after which the backend rests; a repeated question or tenant counts once. */
const VOLUME = 10
const REST_MS = 500
/** Failures that are further apart are not in a row. */
const PAUSE_MS = 10_000
const MAX_TENANTS = 10_000

/** Pauses questions to a backend that only fails, so that it does not cost every request its deadline. */
export interface Rests {
  /** `false` during the rest; after each rest one question is let through. */
  mayAsk (question: Question): boolean
  /** The backend answered. */
  succeeded (question: Question): void
  /** The backend failed on this question, which says nothing about other questions. */
  failed (question: Question): void
  /** The backend could not be reached, regardless of the question. */
  unreachable (): void
}

/*
 * A user whose question fails, however often, must not close the backend for other users of the tenant, nor a tenant
 * for other tenants: each counts once, and one answer ends the row.
 */
export function createRests (): Rests {
  const all = createRow()
  const ofTenants = createTenantCache<Row>(MAX_TENANTS)
  let unreachable = 0

  function rowOf (tenant: string): Row {
    const row = ofTenants.get(tenant, tenant) ?? createRow()
    ofTenants.set(tenant, tenant, row)
    return row
  }

  return {
    mayAsk: ({ tenant }) => (ofTenants.get(tenant, tenant)?.mayAsk() ?? true) && all.mayAsk(),
    succeeded ({ tenant }) {
      all.end()
      ofTenants.delete(tenant, tenant)
    },
    failed ({ tenant, path }) {
      all.add(tenant)
      rowOf(tenant).add(path)
    },
    unreachable: () => all.add(`#${++unreachable}`)
  }
}

interface Row {
  add (failed: string): void
  end (): void
  mayAsk (): boolean
}

function createRow (): Row {
  const failed = new Set<string>()
  let lastAt = -Infinity
  let restsUntil = -Infinity

  return {
    add (name) {
      lastAt = performance.now()
      if (failed.size < VOLUME) failed.add(name)
      if (failed.size === VOLUME) restsUntil = lastAt + REST_MS
    },
    end: () => failed.clear(),
    mayAsk () {
      const now = performance.now()
      if (now - lastAt > PAUSE_MS) failed.clear()
      if (failed.size < VOLUME) return true
      if (now < restsUntil) return false
      // This question probes the backend; others wait for its result.
      restsUntil = now + REST_MS
      return true
    }
  }
}
