import type { Line } from './history.mjs'
import type { Settings } from './settings.js'

export interface Violation {
  rule: string
  what: string
  lines: Line[]
}

export interface RaceResult {
  violations: Violation[]
  summary: Record<string, number | Record<string, number>>
}

export interface Asked {
  rooms: number
  faults: readonly string[]
  settings: Pick<Settings, 'lease' | 'heartbeat' | 'patience' | 'linger' | 'signing'>
}

export function check (history: Line[], asked: Asked): RaceResult
