// Lists the faults with which the proposed rules are tried, and those that show the need for each rule.

/**
 * Maximum number of each kind of fault, within the total. `lose` is excluded: no rule promises more than ROUND and MEET
 * after it. `restore` is excluded as well, since a store that notices it equals one that failed over and noticed.
 */
export const DESIGN_FAULTS = { outage: 1, wipe: 1, cut: 2, gatewayCut: 1, crash: 1, late: 1, end: 1, leave: 1, deaf: 1 }

/** A move, and the faults of which the quick proof combines one with it. The README names the longer runs. */
export const MOVE_FAULTS = { move: 1, wipe: 1, late: 1, end: 1, deaf: 1, clock: 1 }

/**
 * Faults that break a promise without the rule. The search is breadth first, so its trace is a shortest one. `also`
 * names rules to leave out as well, since they repair the damage within a round of heartbeats.
 *
 * Excluded are `ownId` (`--without=ownId --kinds=outage,cut --faults=2`, a minute), and `resume`, `keepIncarnation`,
 * `sameStep` and `doubt`, for which no trace was found: they spare clients a detour.
 */
export const REFUTATIONS = [
  { rule: 'incarnation', faults: { crash: 1, cut: 1, late: 1 }, only: ['I1'] },
  { rule: 'registerOnce', faults: { cut: 2, late: 1, crash: 1 }, total: 3, only: ['OUST'] },
  { rule: 'linger', faults: {} },
  { rule: 'skewLinger', faults: {} },
  { rule: 'claim', also: ['share'], faults: {}, only: ['I1', 'I2', 'I25', 'MEET'] },
  { rule: 'slowBeat', faults: { lose: 1 } },
  { rule: 'share', faults: { lose: 1 }, only: ['ROUND'] },
  { rule: 'remember', faults: { restore: 1 } },
  { rule: 'counter', also: ['share'], faults: { late: 1 }, only: ['I25'] },
  { rule: 'doors', faults: { cut: 1 } },
  { rule: 'keep', faults: { cut: 1 } },
  { rule: 'alone', faults: { cut: 1 } },
  { rule: 'stay', faults: { outage: 1 } },
  { rule: 'yield', faults: { cut: 1, wipe: 1 }, only: ['I25'] },
  { rule: 'epoch', faults: { wipe: 1 } },
  { rule: 'settle', faults: { wipe: 1 } },
  { rule: 'nodeEpoch', faults: { wipe: 1, late: 1 }, only: ['I25'] },
  { rule: 'silence', faults: { outage: 1 }, only: ['I25'] },
  { rule: 'unsettled', faults: { wipe: 1, outage: 1 }, only: ['I25'] },
  { rule: 'tail', faults: { wipe: 1, outage: 1 }, only: ['I25'] },
  { rule: 'joinOnly', faults: { outage: 1, cut: 1 } },
  { rule: 'joinOpen', faults: { outage: 1, cut: 1, crash: 1 }, only: ['I2'] },
  { rule: 'date', faults: { late: 1, crash: 1, cut: 1 }, only: ['I3'] },
  { rule: 'refuse', faults: { end: 1 } },
  { rule: 'claimDate', faults: { end: 1 } },
  { rule: 'markKept', faults: { end: 1, late: 1 }, only: ['REL'] },
  { rule: 'claimTells', faults: { end: 1, outage: 1, crash: 1 }, total: 3, only: ['REL'] },
  { rule: 'markUnbound', faults: { end: 1, wipe: 1 } },
  { rule: 'reclaimDate', faults: { cut: 1, end: 1 }, only: ['ENDED'] },
  { rule: 'markLasts', faults: { cut: 1, end: 1 }, only: ['ENDED'] },
  { rule: 'moveWait', faults: { move: 1 } },
  { rule: 'moveHeard', faults: { move: 1, late: 1, cut: 1 }, only: ['I1'] },
  { rule: 'moveTold', faults: { move: 1, wipe: 1 }, only: ['I2', 'I25'] },
  { rule: 'moveUnheard', also: ['moveTold'], faults: { move: 1, end: 1 }, only: ['I1', 'I2'] },
  { rule: 'moveDates', faults: { move: 1, wipe: 1 }, only: ['I2', 'I25'] },
  { rule: 'moveClaim', faults: { move: 1, clock: 1 } },
  { rule: 'moveId', faults: { move: 1, cut: 1 } },
  { rule: 'moveRelease', faults: { move: 1 } },
  { rule: 'moveEnd', faults: { move: 1, end: 1 } },
  { rule: 'moveBound', faults: { move: 1 } },
  { rule: 'moveExpires', faults: { move: 1, deaf: 1 } },
  { rule: 'moveLinger', faults: { move: 1, deaf: 1 } },
  { rule: 'moveAway', faults: { move: 1 } }
]
