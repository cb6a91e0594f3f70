/** Collects the store's promises to nodes, member by member. A member is `<id>|<incarnation>`. */
export function createPromises (history) {
  const members = new Map()
  /** By node id: commands that may have ended a registration. */
  const endings = new Map()
  const refused = new Set()

  const ofMember = (member) => {
    if (!members.has(member)) members.set(member, { promises: [], registeredAt: Infinity })
    return members.get(member)
  }
  for (const line of history) {
    if (line.what === 'promised') ofMember(line.member).promises.push({ from: line.from, until: line.until, at: line.at })
    if (line.what === 'answered' && line.outcome !== 'ok') refused.add(line.call)
    if (line.what !== 'sent') continue
    for (const member of line.members) {
      const [id] = member.split('|')
      if (line.script === 'REGISTER') ofMember(member).registeredAt = Math.min(ofMember(member).registeredAt, line.at)
      if (!endings.has(id)) endings.set(id, [])
      endings.get(id).push({ at: line.at, member, isLeave: line.script === 'LEAVE', call: line.call })
    }
  }

  function mayHaveEnded (member, at) {
    const { registeredAt } = ofMember(member)
    return (endings.get(member.split('|')[0]) ?? []).some((ending) => ending.at <= at && ending.at >= registeredAt &&
      (ending.isLeave ? ending.member === member : ending.member !== member) && !refused.has(ending.call))
  }

  /** Periods in which no promise to this node was in force; the last may be open. */
  function gapsOf (id) {
    const promises = [...members].flatMap(([member, { promises }]) => member.startsWith(`${id}|`) ? promises : [])
      .sort((a, b) => a.from - b.from)
    const gaps = []
    let until
    for (const promise of promises) {
      if (until !== undefined && promise.from > until) gaps.push({ begin: until, end: promise.from })
      until = Math.max(until ?? -Infinity, promise.until)
    }
    if (until !== undefined) gaps.push({ begin: until, end: Infinity })
    return gaps
  }

  return {
    /** True if the member was certainly alive at this moment. */
    lives: (member, at) => ofMember(member).promises.some(({ from, until }) => from <= at && at < until) &&
      !mayHaveEnded(member, at),
    gapsOf,
    ids: () => [...new Set([...members.keys()].map((member) => member.split('|')[0]))]
  }
}
