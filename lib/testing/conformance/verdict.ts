/** The node breaks the rule. The message describes the observed behaviour. */
export class BrokenRule extends Error {
  override name = 'BrokenRule'
}

/** The preconditions of the rule were not met, so the node cannot be judged. */
export class NotJudged extends Error {
  override name = 'NotJudged'
}

/** @throws BrokenRule unless it is kept */
export function expect (isKept: boolean, seen: string): asserts isKept {
  if (!isKept) throw new BrokenRule(seen)
}

/** @throws NotJudged unless it is given */
export function suppose (isGiven: boolean, missing: string): asserts isGiven {
  if (!isGiven) throw new NotJudged(missing)
}
