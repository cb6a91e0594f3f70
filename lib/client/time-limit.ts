export interface TimeLimit {
  /** Aborts if the time is over, or if the parent aborts. */
  readonly signal: AbortSignal
  readonly isTimeOver: boolean
  /** Removes timer and listener. */
  end (): void
}

/** `AbortSignal.any` and `AbortSignal.timeout` are missing in browsers that are still in use. */
export function startTimeLimit (ms: number, parent?: AbortSignal): TimeLimit {
  const controller = new AbortController()
  let isTimeOver = false
  const abort = () => controller.abort()
  const timer = setTimeout(() => {
    isTimeOver = true
    abort()
  }, ms)
  if (parent?.aborted) abort()
  parent?.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    get isTimeOver () {
      return isTimeOver
    },
    end () {
      clearTimeout(timer)
      parent?.removeEventListener('abort', abort)
    }
  }
}
