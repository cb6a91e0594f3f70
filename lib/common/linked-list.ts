/** What an entry of a list holds for it. */
export interface Linked<Entry> {
  before: Entry | undefined
  after: Entry | undefined
}

/**
 * Entries in the order in which they were added, for what comes and goes with each request. A `Set` would keep the
 * requests of its outgrown tables alive: V8 chains these tables, so that one of them in the old generation holds all
 * later ones until the next full garbage collection.
 */
export class LinkedList<Entry extends Linked<Entry>> {
  first: Entry | undefined
  #last: Entry | undefined
  #size = 0

  get size (): number {
    return this.#size
  }

  /** The entry must be in no list. */
  add (entry: Entry): void {
    entry.before = this.#last
    if (this.#last === undefined) this.first = entry
    else this.#last.after = entry
    this.#last = entry
    this.#size++
  }

  /** Does nothing if the entry is not in the list. */
  remove (entry: Entry): void {
    const { before, after } = entry
    if (before === undefined && this.first !== entry) return
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    // A dead entry in the old generation would keep all later ones alive as well.
    entry.before = entry.after = undefined
    this.#size--
  }
}
