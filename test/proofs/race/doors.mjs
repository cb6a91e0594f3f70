/**
 * When a membership said first, in this turn of the loop, that it holds a room. A process may be stopped, or get no
 * time, between an admission and the note of it: where both happen in one turn, the former was not before that moment.
 */
export function createDoors () {
  const moments = new Map()

  return {
    watch (membership) {
      return Object.assign(Object.create(membership), {
        holds (key) {
          const at = Date.now()
          const isHeld = membership.holds(key)
          if (moments.size === 0) setImmediate(() => moments.clear())
          if (isHeld && !moments.has(key.room)) moments.set(key.room, at)
          return isHeld
        }
      })
    },
    heldAt: (room) => moments.get(room)
  }
}
