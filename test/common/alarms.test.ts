import { execFileSync } from 'node:child_process'
import t from 'tap'
import { setAlarm } from '../../lib/common/alarms.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'

t.test('alarms of one length – set one after the other – fire in that order, and never early', async (t) => {
  const fired: Array<{ name: string, after: number }> = []
  const set = (name: string, ms: number) => {
    const at = performance.now()
    setAlarm(ms, { fire: () => fired.push({ name, after: performance.now() - at - ms }) })
  }
  set('first', 40)
  await elapse(10, 'the second is due later')
  set('second', 40)
  set('longer', 400)
  set('shorter', 5)
  await until(() => fired.length === 4, 'all have fired')
  // A busy machine may let two lengths pass at once.
  t.strictSame(fired.map(({ name }) => name).filter((name) => name !== 'shorter'), ['first', 'second', 'longer'])
  for (const { name, after } of fired) t.ok(after >= 0, name)
})

t.test('alarms – first, middle and last of a queue are cancelled – leave the others', async (t) => {
  const fired: number[] = []
  const alarms = [0, 1, 2, 3, 4].map((index) => setAlarm(30, { fire: () => fired.push(index) }))
  for (const index of [0, 2, 4]) {
    alarms[index]?.cancel()
    alarms[index]?.cancel()
  }
  await until(() => fired.length === 2, 'two are left')
  await elapse(60, 'the cancelled ones would have fired')
  t.strictSame(fired, [1, 3])
})

t.test('an alarm – set or cancelled while others of its length fire – fires, or does not', async (t) => {
  const fired: string[] = []
  setAlarm(20, {
    fire () {
      fired.push('first')
      second.cancel()
      setAlarm(20, { fire: () => fired.push('third') })
    }
  })
  const second = setAlarm(20, { fire: () => fired.push('second') })
  await until(() => fired.includes('third'), 'the one that was set last')
  t.strictSame(fired, ['first', 'third'])
})

t.test('an alarm that throws – others behind it – still fire', async (t) => {
  const script = `
    import { setAlarm } from './dist/lib/common/alarms.js'
    process.on('uncaughtException', ({ message }) => console.log(message))
    setAlarm(10, { fire () { throw new Error('thrown') } })
    setAlarm(10, { fire: () => console.log('fired') })`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.strictSame(printed.trim().split('\n').sort(), ['fired', 'thrown'])
})

t.test('the process – an alarm is set – stays alive for it, and ends at once when it is cancelled', async (t) => {
  const run = (body: string) => execFileSync(process.execPath, [
    '--input-type=module', '-e', `import { setAlarm } from './dist/lib/common/alarms.js'\n${body}`
  ], { encoding: 'utf8' }).trim()
  t.equal(run("setAlarm(50, { fire: () => console.log('fired') })"), 'fired')
  t.equal(run("setAlarm(600_000, { fire () {} }).cancel(); console.log('ended')"), 'ended')
  t.equal(run("setAlarm(600_000, { fire () {} }).cancel(); setAlarm(600_000, { fire () {} }).cancel(); console.log('ended')"), 'ended')
})
