/** `at` in milliseconds since the epoch. */
export interface Line {
  at: number
  by: string
  what: string
  [detail: string]: unknown
}

export type Note = (what: string, details?: object) => void

export function openHistory (folder: string, by: string): Note
export function readHistory (folder: string): Line[]
