import type { FastifyBaseLogger } from 'fastify'

const nothing = () => {}

/** A log without output, for adapters that are tested without an application. */
export const silentLog: FastifyBaseLogger = {
  level: 'silent',
  child: () => silentLog,
  fatal: nothing,
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
  silent: nothing
}
