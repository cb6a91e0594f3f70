/** One verb of the command `fastify-cobrowse`. */
export interface Verb {
  /** A few words for the list of verbs. */
  summary: string
  help: string
  /**
   * @returns the exit code
   * @throws UsageError if an argument is wrong; any other error if the work could not be done
   */
  run (args: string[]): Promise<number>
}
