import t from 'tap'
import { createBreaker } from '../../lib/common/breaker.js'

function setUp () {
  const clock = { now: 1_000_000 }
  const breaker = createBreaker(() => clock.now)
  const fail = (times: number) => { for (let time = 0; time < times; time++) breaker.failed() }
  const answer = (times: number) => { for (let time = 0; time < times; time++) breaker.answered() }
  return { clock, breaker, fail, answer }
}

t.test('a breaker – nine failures – lets calls through, and rests after the tenth', async (t) => {
  const { breaker, fail } = setUp()
  fail(9)
  t.ok(breaker.mayCall())
  fail(1)
  t.notOk(breaker.mayCall())
})

t.test('a breaker – half of all calls failed – lets calls through, and rests after one more', async (t) => {
  const { breaker, fail, answer } = setUp()
  answer(20)
  fail(20)
  t.ok(breaker.mayCall())
  fail(1)
  t.notOk(breaker.mayCall())
})

t.test('a breaker – failures spread over more than ten seconds – counts the latest ten', async (t) => {
  const { clock, breaker, fail } = setUp()
  fail(9)
  clock.now += 10_000
  fail(9)
  t.ok(breaker.mayCall(), 'the first nine are forgotten')
  clock.now += 5000
  fail(1)
  t.notOk(breaker.mayCall(), 'the second nine are not')
})

t.test('a breaker – idle for longer than it remembers – forgets everything', async (t) => {
  const { clock, breaker, fail } = setUp()
  fail(9)
  clock.now += 3_600_000
  fail(1)
  t.ok(breaker.mayCall())
})

t.test('a breaker at rest – half a second later – lets one call try, and the next one half a second after that', async (t) => {
  const { clock, breaker, fail } = setUp()
  fail(10)
  clock.now += 499
  t.notOk(breaker.mayCall())
  clock.now += 1
  t.ok(breaker.mayCall())
  t.notOk(breaker.mayCall(), 'one try at a time')
  clock.now += 500
  t.ok(breaker.mayCall(), 'a try without a result, since its caller went away, does not close the dependency for ever')
})

t.test('a breaker at rest – its try fails – rests for another half second', async (t) => {
  const { clock, breaker, fail } = setUp()
  fail(10)
  clock.now += 600
  t.ok(breaker.mayCall())
  clock.now += 300
  fail(1)
  clock.now += 499
  t.notOk(breaker.mayCall())
  clock.now += 1
  t.ok(breaker.mayCall())
})

t.test('a breaker at rest – its try is answered – lets all calls through, and forgets the failures', async (t) => {
  const { clock, breaker, fail } = setUp()
  fail(10)
  clock.now += 500
  t.ok(breaker.mayCall())
  breaker.answered()
  t.ok(breaker.mayCall())
  fail(8)
  t.ok(breaker.mayCall())
  fail(1)
  t.notOk(breaker.mayCall(), 'nine of ten calls failed since')
})
