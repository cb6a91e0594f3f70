import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { momentOf } from '../../../lib/common/clock.js'
import { createLease } from '../../../lib/registry/membership/lease.js'
import { until } from '../../support/until.js'

t.test('a lease that is not queried – reports its lapse, once', async (t) => {
  let lapses = 0
  const lease = createLease(() => 120, () => { lapses++ }, systemClock)
  t.equal(lease.valid(), false, 'before the first heartbeat')
  lease.renew(momentOf(systemClock))
  t.equal(lease.valid(), true)
  await until(() => lapses > 0)
  t.equal(lease.valid(), false)
  lease.lapse()
  t.equal(lapses, 1)
})

t.test('a lease – counted from the sending of its heartbeat – expires before the store’s', async (t) => {
  let now = 1000
  t.intercept(performance, 'now', { value: () => now })
  const lease = createLease(() => 6000, () => {}, systemClock)
  const sentAt = momentOf(systemClock)
  now = 4000
  lease.renew(sentAt)
  now = 6499
  t.equal(lease.valid(), true)
  now = 6500
  t.equal(lease.valid(), false)
  lease.renew(momentOf(systemClock))
  t.equal(lease.valid(), true)
  lease.stop()
  t.equal(lease.valid(), false)
})
