/**
 * Records the moment at which a membership first reported, in the current turn of the loop, that it holds a room. A
 * process may be stopped between an admission and its note; if both happen in one turn, the admission was not earlier.
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
