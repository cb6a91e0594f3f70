import { tracingChannel } from 'node:diagnostics_channel'
import type { TracingChannel } from 'node:diagnostics_channel'
import type { TraceEvent } from '../../types/tracing.js'

export type Operation = TraceEvent['operation']

/** `tracing:cobrowse:<operation>:start`, and the other four events of a TracingChannel of Node.js. */
const CHANNELS: Readonly<Record<Operation, TracingChannel<unknown, TraceEvent>>> = {
  connectionInfo: tracingChannel('cobrowse:connectionInfo'),
  sessions: tracingChannel('cobrowse:sessions'),
  registry: tracingChannel('cobrowse:registry'),
  provision: tracingChannel('cobrowse:provision')
}

/** Whether a program listens. Otherwise tracing costs this question. */
export function isTraced (operation: Operation): boolean {
  const { start, end, asyncStart, asyncEnd, error } = CHANNELS[operation]
  return start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers ||
    error.hasSubscribers
}

/** Publishes the events of `work`, which runs in the context that subscribers have bound to `start`. */
export async function trace<T> (event: TraceEvent, work: (event: TraceEvent) => Promise<T>): Promise<T> {
  let answer: T | undefined
  await CHANNELS[event.operation].tracePromise(async () => {
    // Node.js would add what this function returns to the event, and an answer contains a signature.
    answer = await work(event)
  }, event)
  // `tracePromise` throws the error of `work`.
  return answer as T
}
