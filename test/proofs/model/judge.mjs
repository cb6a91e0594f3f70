// Holds the rules in force, and the violations of the present step.

/** Parts of the rules that can be left out. The numbers are those of the rules. */
export const RULES = {
  incarnation: '2   a fresh incarnation after a lapse or a restart',
  registerOnce: '2   a registration names the incarnation that it replaces',
  resume: '2   a node that lapsed by its own clock and lives in the store keeps its incarnation',
  keepIncarnation: '2   a node that has not lapsed keeps its incarnation in a new epoch',
  linger: '3   a binding outlives the last signature and the last client',
  skewLinger: '3   ... by TT + S rather than by TT',
  claim: '4   a node claims a room before it opens it',
  slowBeat: '4   open rooms are claimed again from time to time',
  share: '4   ... in turn with the heartbeats, all of them within a round of a few',
  counter: '4   a late release or claim is recognized by its number',
  doors: '5a  a lapsed node admits no client by a normal signature',
  keep: '5a  a lapsed node keeps the clients inside',
  alone: '5b  a lone client behind a shut door is disconnected after R',
  stay: '5b  ... and the room stays open for join-only signatures',
  sameStep: '5c  registering again and claiming the kept rooms is one step',
  yield: '5d  a returning node yields while the store settles',
  ownId: '5d  ... except in rooms bound to its own id',
  tail: '5d  settling lasts longer by the time in which returning nodes claim',
  epoch: '6   a store that lost its memory starts an epoch',
  remember: '6   ... also one that was set back to older data: callers remember how much it had written',
  settle: '6   ... and settles',
  nodeEpoch: '6   every write of a node carries its epoch',
  silence: '7   settling after a silence',
  unsettled: '7   ... even if it had not settled before the silence, any nodes known',
  joinOnly: '9   an answer from memory is a join-only signature',
  joinOpen: '9   a join-only signature does not open a room',
  date: '10  a signature carries the time of the choice',
  refuse: '11  a node refuses signatures from before an end that it heard of',
  claimDate: '11  a claim carries the date of the signature',
  markKept: '11  the time of an end outlives a new assignment',
  reclaimDate: '11  claiming again a room that was opened before the end closes it',
  markLasts: '11  the time of an end is kept for as long as a room may stay behind a shut door',
  markUnbound: '11  an end of a room that is not bound is remembered as well',
  claimTells: '11  the answer to a claim tells of the end',
  moveWait: '12  a moved room waits until its node acknowledges, is dead, or the binding expires',
  moveHeard: '12  ... a node acknowledges after it closed the room; that it was told is not enough',
  moveTold: '12  ... even if the node has not opened the room, as it may hold earlier signatures',
  moveUnheard: '12  ... in any case if it has not heard of an earlier end',
  moveDates: '12  a node that heard of the move refuses earlier signatures',
  moveClaim: '12  a claim of the earlier node does not undo the move',
  moveId: '12  ... not even under a new incarnation',
  moveRelease: '12  ... nor does its release',
  moveEnd: '12  ... nor does an end of the call',
  moveBound: '12  a request gets no signature for the earlier node',
  moveExpires: '12  ... and does not prolong the binding',
  moveLinger: '12  ... which outlives the earlier signatures',
  moveAway: '12  the earlier node is left out of the choice',
  doubt: '    nothing is reassigned when most nodes vanish at once'
}

/** Maps each rule in force to 1. */
export const rules = {}

/**
 * @param without rules to leave out
 * @param isStrict an end lost with the store's memory counts as well
 */
export function useRules (without = [], isStrict = false) {
  for (const name of without) if (!(name in RULES)) throw new TypeError(`no rule "${name}"`)
  for (const name of Object.keys(RULES)) rules[name] = without.includes(name) ? 0 : 1
  rules.strictRelease = isStrict ? 1 : 0
}
useRules()

/** Records a violation in the present step. */
export const violations = []
export const violate = (property, text) => { violations.push([property, text]) }
