import { memoryRegistry } from '../../lib/index.js'
import { NODES } from './build-app.js'
import type { Assignment, NodeView, Registry } from '../../types/index.js'

/** A registry that answers as it is told to. */
export interface ScriptedRegistry {
  registry: Registry
  /** How often `assign` was called. */
  asked: number
  /** What `assign` does instead of asking the store. */
  instead?: (() => Promise<Assignment>) | undefined
  /** What it makes of the store's answers. */
  change: (assignment: Assignment) => Assignment
  /** The view, where it is not the one of the store. */
  view?: readonly NodeView[] | undefined
  viewAgeMs?: number | undefined
}

/** Two nodes, and a store that can be away, settle, hang or be of another opinion than its view. */
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

/** A store that fails with this error. */
export const failWith = (error: Error) => async () => { throw error }
