import t from 'tap'
import { AdmissionError } from '../../lib/node/admission-error.js'
import { ROOM, startNode } from './start-node.js'

t.test('a client with a valid signature – admitted – gets the seat that the signature names', async (t) => {
  const { node, admit, membership, happened, clock } = await startNode()
  const seat = await admit({ user: 'u1', name: 'Li Na', role: 'replayer' })
  t.match(seat, { ...ROOM, user: 'u1', name: 'Li Na', role: 'replayer', ended: Promise, leave: Function })
  t.strictSame(membership().calls, ['claim t/r'], 'the room is claimed before it opens')
  t.match(membership().claimOptions, [{ issuedAt: Math.floor(clock.wall() / 1000), signal: AbortSignal }])
  t.match(node.status(), { id: 'n', incarnation: 'incarnation-1', state: 'serving', rooms: 1, seats: 1 })
  const second = await admit()
  t.strictSame(membership().calls, ['claim t/r'], 'and once')
  t.strictSame(happened, ['opened t/r'])
  seat.leave()
  seat.leave()
  second.leave()
  t.strictSame(happened, ['opened t/r', 'closed t/r'])
  t.strictSame(membership().calls, ['claim t/r', 'release t/r'], 'the last client that leaves releases the room')
  t.match(node.status(), { rooms: 0, seats: 0 })
})

t.test('a rejected client – each cause – gets its close code, and the cause goes to the log', async (t) => {
  const { node, sign, attempt, membership } = await startNode({ allowedOrigins: ['https://app.example'] })
  const error = await node.admit('forged').catch((error) => error)
  t.ok(error instanceof AdmissionError)
  t.match(error, { name: 'AdmissionError', code: 'FST_COBROWSE_ADMISSION', closeCode: 4401, statusCode: 401 })
  t.equal(error.message, 'bad or expired signature')
  t.equal(error.cause.message, 'forged')
  t.equal(await attempt(''), 4401)
  t.equal(await attempt(sign({ name: 'x'.repeat(4096) })), 4401, 'too long for a signature')

  const signature = sign()
  for (const origin of ['null', 'https://evil.example', 'https://app.example.evil.example', 'http://app.example', '']) {
    t.equal(await attempt(signature, { origin }), 4403, `origin ${origin}`)
  }
  t.strictSame(membership().calls, [], 'the registry was asked for none of them')
  t.equal(await attempt(signature, { origin: 'https://app.example' }), 'in', 'the signature is still unused')
  t.equal(await attempt(signature), 4408)
  t.equal(await attempt(sign()), 'in', 'a client without an origin is no browser')
  t.equal(await attempt('forged', { origin: 'null' }), 4403, 'the origin is checked first')
})

t.test('a full node or a full room – new client – rejects without asking the registry', async (t) => {
  const { attempt, admit, membership } = await startNode({ maxSeats: 3, seatsPerRoom: 2 })
  const first = await admit()
  await admit()
  t.equal(await attempt(), 4429, 'the room is full')
  t.equal(await attempt({ room: 'r2' }), 'in')
  membership().calls.length = 0
  t.equal(await attempt({ room: 'r3' }), 4429, 'the node is full')
  t.strictSame(membership().calls, [])
  first.leave()
  t.equal(await attempt(), 'in', 'a seat is free again')
})

t.test('many clients at once – fewer seats – take exactly the free seats', async (t) => {
  const { node, attempt, membership } = await startNode({ seatsPerRoom: 2 })
  const results = await Promise.all(Array.from({ length: 10 }, async () => await attempt()))
  t.equal(results.filter((result) => result === 'in').length, 2)
  t.equal(results.filter((result) => result === 4429).length, 8)
  t.equal(node.status().seats, 2)
  t.notOk(membership().calls.includes('release t/r'))
})

t.test('an admission that fails after the claim – room empty – releases the room', async (t) => {
  const { clock, attempt, sign, membership } = await startNode()
  const used = sign({ room: 'r2' })
  await attempt(used)
  membership().calls.length = 0

  let letThrough = () => {}
  const gate = new Promise<void>((resolve) => { letThrough = resolve })
  membership().answer = async (grant, room) => {
    const result = grant(room)
    await gate
    return result
  }
  const late = sign({ expiresAt: Math.floor(clock.wall() / 1000) - 5 })
  const [refused, refusedToo] = [attempt(late), attempt({ incarnation: 'older' })]
  await clock.pass(0)
  letThrough()
  t.strictSame(await Promise.all([refused, refusedToo]), [4401, 4410])
  t.strictSame(membership().calls, ['claim t/r', 'release t/r'], 'released after the last failed admission')

  membership().calls.length = 0
  membership().answer = (grant, room) => grant(room)
  t.strictSame(await Promise.all([attempt(late), attempt()]), [4401, 'in'])
  t.strictSame(membership().calls, ['claim t/r'], 'a client is inside')
})

t.test('a room – a client being admitted – is not released', async (t) => {
  const { admit, attempt, membership, happened, clock } = await startNode()
  const first = await admit()
  let letThrough = () => {}
  const held = membership().claim
  membership().claim = async (room, options) => {
    await new Promise<void>((resolve) => { letThrough = resolve })
    return await held(room, options)
  }
  const second = attempt()
  await clock.pass(0)
  first.leave()
  t.notOk(membership().calls.includes('release t/r'))
  letThrough()
  t.equal(await second, 'in')
  t.strictSame(happened, ['opened t/r', 'closed t/r', 'opened t/r'])
  t.ok(membership().holds(ROOM))
})

t.test('a registry that hangs – costs a second, and a room granted later is released', async (t) => {
  const { clock, attempt, membership } = await startNode()
  let answerLate = () => {}
  let signal: AbortSignal | undefined
  membership().answer = async (grant, room) => {
    signal = membership().claimOptions.at(-1)?.signal
    await new Promise<void>((resolve) => { answerLate = resolve })
    return grant(room)
  }
  const waiting = attempt()
  let result: unknown
  waiting.then((code) => { result = code })
  await clock.pass(999)
  t.equal(result, undefined)
  await clock.pass(1)
  t.equal(await waiting, 4503)
  t.equal(signal?.aborted, true)
  answerLate()
  await clock.pass(0)
  t.strictSame(membership().calls, ['claim t/r', 'release t/r'])
  t.equal(clock.alarms(), 0)
})

t.test('the state before the seat – after the registry’s last answer – is checked again', async (t) => {
  t.test('a claim lost in between – is made again, a few times', async (t) => {
    const { attempt, membership, clock } = await startNode()
    let claims = 0
    membership().answer = (grant, room) => ++claims < 3 ? 'ok' : grant(room)
    t.equal(await attempt(), 'in')
    t.equal(claims, 3)
    claims = -100
    t.equal(await attempt({ room: 'r2' }), 4410)
    t.equal(claims, -97)
    t.equal(clock.alarms(), 0)
  })
  t.test('a lease that expired – rejects the old incarnation', async (t) => {
    const { attempt, membership } = await startNode()
    membership().answer = (grant, room) => {
      const result = grant(room)
      membership().lapse()
      membership().resume()
      return result
    }
    t.equal(await attempt(), 4410)
  })
  t.test('a lease that expired and did not recover – rejects the client', async (t) => {
    const { attempt, membership, node } = await startNode()
    membership().answer = (grant, room) => {
      const result = grant(room)
      membership().lapse()
      return result
    }
    t.equal(await attempt(), 4410)
    t.equal(node.status().seats, 0)
  })
  t.test('a signature that expired – rejects the client', async (t) => {
    const { attempt, membership, clock } = await startNode()
    const at = Math.floor(clock.wall() / 1000)
    t.equal(await attempt({ expiresAt: at - 4 }), 'in', 'within the skew')
    membership().answer = async (grant, room) => {
      await clock.pass(900)
      return grant(room)
    }
    t.equal(await attempt({ room: 'r2', expiresAt: at - 4 }), 'in')
    t.equal(await attempt({ room: 'r3', expiresAt: at - 4 }), 4401)
  })
  t.test('a call that ended – rejects the client', async (t) => {
    const { attempt, membership, clock } = await startNode()
    membership().answer = async (grant, room) => {
      await clock.pass(10)
      membership().endCall(room)
      return grant(room)
    }
    t.equal(await attempt(), 4410)
  })
  t.test('a node that closed – rejects the client', async (t) => {
    const { attempt, membership, node } = await startNode()
    membership().answer = (grant, room) => {
      node.close()
      return grant(room)
    }
    t.equal(await attempt(), 4410)
    t.equal(node.status().seats, 0)
  })
})
