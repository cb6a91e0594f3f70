import { openHistory } from './history.mjs'

/** Reads the parent's message to a process of the race, and opens its history. */
export function beginChild () {
  const config = JSON.parse(process.argv[2])
  const note = openHistory(config.folder, config.name)
  process.on('disconnect', () => process.exit(0))
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error) => {
      note('defect', { error: String(error?.stack ?? error) })
      process.exit(1)
    })
  }
  return { ...config, note }
}
