export interface Totals {
  passed: number
  failed: number
  skipped: number
}

export interface FileOfRun {
  file: string
  isGood: boolean
  seconds: number
  comments: string[]
}

export function totalsOf (output: string): Totals | undefined
export function toText (totals: Totals): string
export function failuresOf (output: string): string
export function filesOf (output: string): FileOfRun[]
