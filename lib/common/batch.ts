import type { Clock } from './clock.js'

export interface BatchOptions<Input, Output> {
  clock: Pick<Clock, 'endOfTurn'>
  /** Most inputs of one call. */
  most: number
  /** @returns the output of each input, in the same order; one that rejects concerns its own input only */
  run (inputs: Input[]): Promise<ReadonlyArray<Output | Promise<Output>>>
}

interface Waiting<Output> {
  resolve (output: Output | Promise<Output>): void
  reject (error: unknown): void
}

/**
 * Answers the inputs of one turn of the event loop by one call: a server that many requests ask at the same time takes
 * more time for each call than for each input.
 *
 * @returns waits for the output of one input; rejects if the call fails
 */
export function createBatch<Input, Output> ({ clock, most, run }: BatchOptions<Input, Output>) {
  let inputs: Input[] = []
  let waiting: Array<Waiting<Output>> = []

  function flush (): void {
    if (inputs.length === 0) return
    const [asked, askers] = [inputs, waiting]
    inputs = []
    waiting = []
    run(asked).then((outputs) => {
      for (const [at, { resolve, reject }] of askers.entries()) {
        if (at < outputs.length) resolve(outputs[at] as Output | Promise<Output>)
        else reject(new Error('an answer to fewer inputs than were sent'))
      }
    }, (error: unknown) => {
      for (const { reject } of askers) reject(error)
    })
  }

  return (input: Input): Promise<Output> => new Promise((resolve, reject) => {
    inputs.push(input)
    waiting.push({ resolve, reject })
    if (inputs.length === most) flush()
    else if (inputs.length === 1) clock.endOfTurn(flush)
  })
}
