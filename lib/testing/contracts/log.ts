import type { FastifyBaseLogger } from 'fastify'
import type { AdapterContext, BackendStatus } from '../../../types/adapter.js'

/** A context like the plugin's that records states and warnings. */
export interface RecordingContext extends AdapterContext {
  readonly states: ReadonlyArray<BackendStatus['state']>
  /** Arguments of each warning. */
  readonly warnings: readonly unknown[][]
}

export function createContext (): RecordingContext {
  const states: Array<BackendStatus['state']> = []
  const warnings: unknown[][] = []
  return {
    states,
    warnings,
    log: createLog((...args) => { warnings.push(args) }),
    onState: ({ state }) => { states.push(state) }
  }
}

function createLog (warn: (...args: unknown[]) => void): FastifyBaseLogger {
  const nothing = () => {}
  const log: FastifyBaseLogger = {
    level: 'warn',
    child: () => log,
    fatal: nothing,
    error: nothing,
    warn,
    info: nothing,
    debug: nothing,
    trace: nothing,
    silent: nothing
  }
  return log
}
