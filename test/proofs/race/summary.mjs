/** Summarizes a race in a few numbers. */
export function summarize ({ history, faults, moves }, violations) {
  const of = (wanted) => history.filter(({ what }) => what === wanted)
  const signed = of('signed')
  const moments = [history[0]?.at ?? 0, history.at(-1)?.at ?? 0]
  return {
    seconds: Math.round((moments[1] - moments[0]) / 1000),
    rooms: of('done').length,
    signatures: tally(signed, ({ kind }) => kind),
    admissions: tally(of('admitted'), ({ kind }) => kind),
    faults: tally(faults.injected, ({ fault }) => fault),
    denied: tally(of('denied'), ({ retCode }) => retCode),
    unanswered: of('unanswered').length,
    turnedAway: tally(of('turned-away'), ({ code }) => code),
    sentAway: tally(of('sent-away'), ({ code }) => code),
    moves: tally(moves.all, ({ outcome }) => outcome),
    notMoved: of('not-moved').length,
    endedCalls: of('call-ended').length,
    lapses: of('lapsed').length,
    lapsesWithoutFault: faults.lapsesWithoutReason().length,
    splits: violations.filter(({ rule }) => rule === 'I1').length,
    violations: tally(violations, ({ rule }) => rule)
  }
}

function tally (list, nameOf) {
  const counts = {}
  for (const item of list) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1
  return counts
}
