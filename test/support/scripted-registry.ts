import { memoryRegistry } from '../../lib/index.js'
import { NODES } from './build-app.js'
import type { Assignment, NodeView, Registry } from '../../types/index.js'

/** A registry whose answers the test scripts. */
export interface ScriptedRegistry {
  registry: Registry
  /** Number of `assign` requests. */
  asked: number
  /** Replaces the request to the store in `assign`. */
  instead?: (() => Promise<Assignment>) | undefined
  /** Changes the answers of the store. */
  change: (assignment: Assignment) => Assignment
  /** Replaces the view of the store. */
  view?: readonly NodeView[] | undefined
  viewAgeMs?: number | undefined
}

/** Creates a registry with two nodes, whose store can be down, settle, hang, or differ from its view. */
export function scriptRegistry (): ScriptedRegistry {
  const store = memoryRegistry({ nodes: NODES })
  const script: ScriptedRegistry = {
    asked: 0,
    change: (assignment) => assignment,
    registry: {
      ...store,
      async assign (...args) {
        script.asked++
        if (script.instead !== undefined) return await script.instead()
        return script.change(await store.assign(...args))
      },
      nodes: () => script.view ?? store.nodes(),
      status: () => ({ ...store.status(), ...(script.viewAgeMs !== undefined && { viewAgeMs: script.viewAgeMs }) })
    }
  }
  return script
}

/** Makes the store fail with this error. */
export const failWith = (error: Error) => async () => { throw error }
