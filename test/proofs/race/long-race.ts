import { SECONDS } from '../../support/long.js'
import type { Extent } from './race.js'

/** Runs a race with all faults, as often as there is time. */
export const LONG_RACE: Extent = { gateways: 8, nodes: 4, drivers: 2, seconds: SECONDS, moves: 500, faults: 'all' }
