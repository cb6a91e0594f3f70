interface Change {
  file: string
  find: string
  replace: string
}

interface Mutation extends Change {
  name: string
  also?: Change
  tests: string[]
}

export const MUTATIONS: Mutation[]
