interface Change {
  file: string
  find: string
  replace: string
}

export interface Mutation extends Change {
  name: string
  also?: Change
  tests: string[]
}

export const MUTATIONS: Mutation[]
