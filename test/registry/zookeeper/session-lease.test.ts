import t from 'tap'
import { createSessionLease } from '../../../lib/registry/zookeeper/session-lease.js'
import { systemClock } from '../../../lib/common/clock.js'

/** A lease of a session of 6 s, on a clock that shows `now`; the connection was opened at 0. */
function start (sessionMs = 6000) {
  const time = { now: 0 }
  const clock = { ...systemClock, monotonic: () => time.now, wall: () => time.now }
  const momentAt = (ms: number) => ({ monotonic: ms, wall: ms })
  const lease = createSessionLease({ sessionTimeout: () => sessionMs, connectionStart: () => momentAt(0) }, clock)
  return {
    lease,
    momentAt,
    /** Start of the lease after a heartbeat. */
    hear: (ms: number) => lease.hear(momentAt(ms)).monotonic,
    isFreshAt (ms: number) {
      time.now = ms
      return lease.isFresh()
    }
  }
}

t.test('a lease – begins with the connection, not with the answer of the server', async (t) => {
  const { hear, isFreshAt } = start()
  t.ok(isFreshAt(1999))
  t.notOk(isFreshAt(2000), 'the process may have been suspended while it connected')
  t.equal(hear(2500), 0)
})

t.test('a heartbeat – counts once a later one shows that the leader was told of it', async (t) => {
  const { hear, isFreshAt } = start()
  t.equal(hear(60_000), 0)
  t.equal(hear(61_499), 0, 'a follower reports twice per tick')
  t.equal(hear(61_500), 60_000)
  t.ok(isFreshAt(61_999))
})

t.test('a long session – a heartbeat counts after the reports of the longest tick', async (t) => {
  const { lease, hear } = start(60_000)
  t.equal(lease.reportMs(), 3000)
  hear(100_000)
  t.equal(hear(103_000), 100_000)
})

t.test('no connection – no lease', async (t) => {
  const lease = createSessionLease({ sessionTimeout: () => 6000, connectionStart: () => undefined }, systemClock)
  t.notOk(lease.isFresh())
  t.equal(lease.hear({ monotonic: 1000, wall: 1000 }).monotonic, -Infinity)
})
