export interface Random {
  next (): number
  between (low: number, high: number): number
  pick<T> (list: readonly T[]): T
  shuffle<T> (list: readonly T[]): T[]
}

export function createRandom (seed: number): Random
