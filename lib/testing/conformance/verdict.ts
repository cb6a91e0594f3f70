/** The node breaks the rule. The message says what was seen. */
export class BrokenRule extends Error {
  override name = 'BrokenRule'
}

/** What the rule rests on did not come about, so that the node cannot be judged by it. */
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
