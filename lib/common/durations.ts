import { Type } from '@sinclair/typebox'

/** The most milliseconds that a Node.js timer can count; a longer timer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

export const milliseconds = (minimum: number) => Type.Integer({
  minimum, maximum: MAX_TIMER_MS, description: `an integer from ${minimum} to ${MAX_TIMER_MS}, in milliseconds`
})

export const seconds = (minimum: number) => Type.Integer({
  minimum, description: `an integer of at least ${minimum}, in seconds`
})
