import { SECONDS } from '../../support/long.js'
import type { Extent } from './race.js'

/** Everything that can fail, as often as there is time for. */
export const LONG_RACE: Extent = { gateways: 8, nodes: 4, drivers: 2, seconds: SECONDS, faults: 'all' }
