/** Time after the end of a fault for pending work. */
export const AFTERWARDS_MS = 1000

/** Collects the injected faults, and the end of their effects. */
export function createFaults (history, { lease, heartbeat, linger }) {
  const settling = Math.max(lease, linger * 1000) + 2 * heartbeat
  const injected = injectedIn(history)
  const ofStore = injected.filter(({ fault }) => fault.startsWith('store-'))
    .map(({ begin, end }) => ({ begin, end: end + settling + AFTERWARDS_MS }))

  /** Periods in which a node knew that its lease had expired. */
  function lapsesOf (node) {
    const lapses = []
    for (const { by, what, at } of history) {
      if (by !== node) continue
      if (what === 'lapsed') lapses.push({ begin: at, end: Infinity })
      if (what === 'resumed' || what === 'started') for (const lapse of lapses) lapse.end = Math.min(lapse.end, at)
    }
    return lapses
  }

  /** Faults of one node, each with the time until it is back. */
  function windowsOf (node) {
    const lapses = lapsesOf(node)
    return injected.filter(({ target }) => target === node).map(({ begin, end }) => {
      const back = endOf([{ begin, end: end + heartbeat }, ...lapses], { begin, end: end + heartbeat })
      const window = { begin, end: back + AFTERWARDS_MS }
      // A node that lapsed leaves its rooms to the others as long as the store settles.
      return { begin, end: endOf([window, ...ofStore], window) }
    })
  }

  /** Lapses without an injected fault; a busy machine may cause some. */
  function lapsesWithoutReason () {
    const nodes = new Set(history.flatMap(({ what, by }) => what === 'lapsed' ? by : []))
    return [...nodes].flatMap((node) => lapsesOf(node).filter(({ begin }) =>
      ![...ofStore, ...windowsOf(node)].some((window) => holds(window, begin))))
  }

  return {
    injected,
    /** Faults of the store, each until it has settled. */
    ofStore,
    /** Whether a session that ended at this moment was ended by the injector, of which the node knows nothing. */
    expiredByHand: (at) => injected.some(({ fault, begin, end }) =>
      fault === 'store-expire' && begin <= at && at <= end + AFTERWARDS_MS),
    lapsesWithoutReason,
    windowsOf,
    /** Periods in which the process was stopped. */
    stopsOf: (name) => injected.filter(({ fault, target }) => target === name && /-(?:stop|kill)/.test(fault))
  }
}

function injectedIn (history) {
  const injected = []
  for (const { what, phase, at, fault, target } of history) {
    if (what !== 'fault') continue
    if (phase === 'begin') injected.push({ fault, target, begin: at, end: Infinity })
    else injected.findLast((other) => other.fault === fault && other.target === target).end = at
  }
  return injected
}

export const overlap = (a, b) => a.begin <= b.end && b.begin <= a.end

export const holds = ({ begin, end }, at) => begin <= at && at <= end

/** End of the last period that overlaps with the given one. */
const endOf = (windows, one) => Math.max(...windows.filter((window) => overlap(window, one)).map(({ end }) => end))
