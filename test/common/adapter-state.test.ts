import t from 'tap'
import { createAdapterState } from '../../lib/common/adapter-state.js'
import { silentLog } from '../support/silent-log.js'

t.test('a rejected record – with several instances – is logged and counted once', async (t) => {
  const state = createAdapterState()
  const seen: string[] = []
  const log = { ...silentLog, warn: () => { seen.push('logged') } }
  const onState = () => {}
  state.start({ log, onState })
  state.start({ log, onState, onRejectedRecord: () => { seen.push('counted') } })
  state.start({ log, onState, onRejectedRecord: () => { seen.push('counted twice') } })
  state.rejectRecord('node-1', 'not JSON')
  t.strictSame(seen, ['logged', 'counted'])
})
