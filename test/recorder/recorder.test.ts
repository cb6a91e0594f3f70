import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { snapshotsIn, startLab } from './lab.js'
import type { Test } from 'tap'

const skip = withoutChromium
t.teardown(closeChromium)

const startPlainLab = async (t: Test) => await startLab(t, { plain: { body: '<p id="text">text</p>' } })

t.test('a page – nobody watches – sends nothing until a viewer comes, and nothing after it left', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const shared = await lab.open(t, 'plain', { isWatched: false })
  const { page, sent, told } = shared
  await eventually(async () => await page.evaluate('connection.state'), 'open')
  await page.fill('#open', 'before')
  t.strictSame(sent, [])

  const viewer = await shared.join()
  await eventually(async () => await page.evaluate('[recorder.state, recorder.watchers]'), ['watched', ['Ben']])
  await shared.mark('seen')
  viewer.connection.close()
  await eventually(async () => await page.evaluate('recorder.state'), 'waiting')
  const count = sent.length
  await page.fill('#open', 'unseen')
  await shared.join()
  t.notOk(sent.slice(count).some((text) => text.includes('"text":"unseen"')), 'the change was not sent')
  t.match(shared.wire(), /"value":"unseen"/, 'the snapshot has it')
  const expected = ['watchers ["Ben"]', 'state "watched"', 'watchers []', 'state "waiting"']
  await eventually(async () => (await told()).slice(0, 4), expected)
})

t.test('a snapshot – each viewer that joins, and each reconnect – is sent once', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const shared = await lab.open(t, 'plain')
  const { sent } = shared
  await shared.join()
  await shared.join()
  t.equal(snapshotsIn(sent), 3)
  for (const relay of lab.site.relays.values()) relay.cut()
  await until(() => snapshotsIn(sent) > 3, 'a snapshot after the reconnect')
  await shared.mark('after the reconnect')
})

t.test('a replayer – asks for a snapshot often – gets one, but not more than two a second', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const shared = await lab.open(t, 'plain')
  const { viewer, sent } = shared
  const startedAt = performance.now()
  for (let time = 0; time < 50; time++) viewer.connection.send('snapshot')
  viewer.connection.send('something else')
  await until(() => snapshotsIn(sent) === 2, 'a second snapshot')
  await shared.mark('later')
  await until(() => performance.now() - startedAt > 1200, 'more than a second')
  t.ok(snapshotsIn(sent) <= 1 + Math.ceil((performance.now() - startedAt) / 500), `${snapshotsIn(sent)} snapshots`)
})

t.test('a second page of the same user – takes over – and the first one is a standby until it leaves', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const first = await lab.open(t, 'plain')
  const second = await first.context.newPage()
  await second.goto(`${lab.base}/lab/plain`)
  await eventually(async () => await second.evaluate('window.isReady'), true)
  await second.evaluate(`shareNow(${lab.entryTo(first.room)}, {})`)
  await eventually(async () => await first.page.evaluate('recorder.state'), 'standby')
  await eventually(async () => await second.evaluate('recorder.state'), 'watched')
  const count = first.sent.length
  await first.page.fill('#open', 'not seen')
  await second.close()
  await eventually(async () => await first.page.evaluate('recorder.state'), 'watched')
  await first.mark('seen again')
  t.notOk(first.sent.slice(count).some((text) => text.includes('"text":"not seen"')))
  await eventually(async () => (await first.told()).filter((it) => it.startsWith('standby')), ['standby true', 'standby false'])
})

t.test('pause – the page changes – sends a note only, and resume the whole page', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const shared = await lab.open(t, 'plain')
  const { page, sent } = shared
  await page.evaluate('recorder.pause()')
  await until(() => sent.at(-1)?.startsWith('!{"code":"paused"'), 'the note')
  const count = sent.length
  await page.fill('#open', 'in private')
  const late = lab.site.connect({ roomId: shared.room, userId: 'late', userName: 'Ben', role: 'replayer' })
  await until(() => late.messages.some((text) => text.startsWith('!{"code":"paused"')), 'a late viewer is told')
  await page.fill('#open', 'after')
  await page.evaluate('recorder.resume()')
  await until(() => snapshotsIn(sent.slice(count)) === 1, 'a snapshot')
  t.match(sent[count + 1], /^!\{"code":"resumed"/)
  t.notMatch(sent.join('\n'), /in private/)
  await eventually(async () => await page.evaluate('recorder.state'), 'watched')
})

t.test('stop – the connection stays open – sends a last note, and nothing from then on', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  for (const stop of ['recorder.stop()', 'ending.abort()']) {
    const shared = await lab.open(t, 'plain', {
      before: 'window.ending = new AbortController()', recorder: '{ signal: ending.signal }'
    })
    const { page, sent, viewer } = shared
    await page.evaluate(stop)
    await until(() => sent.at(-1)?.startsWith('!{"code":"stopped"'), 'the note')
    const count = sent.length
    await page.fill('#open', 'after the end')
    viewer.connection.send('snapshot')
    lab.site.connect({ roomId: shared.room, userId: 'late', userName: 'Ben', role: 'replayer' })
    await page.evaluate('connection.send("the connection is open")')
    await until(() => sent.includes('the connection is open'), 'a message of the page itself')
    t.equal(sent.length, count + 1, stop)
    await page.evaluate('recorder.resume(); recorder.show(); recorder.pause(); recorder.stop()')
    await eventually(async () => await page.evaluate('recorder.state'), 'stopped')
  }
})

t.test('a second recorder – of the connection of the first one – shows the page at once, and each change once', { skip }, async (t) => {
  const lab = await startLab(t, {
    framed: {
      body: '<iframe srcdoc="<input id=inner>"></iframe><div id="host"></div>',
      script: 'document.querySelector("#host").attachShadow({ mode: "open" }).innerHTML = "<input id=deep>"'
    }
  })
  const shared = await lab.open(t, 'framed')
  const { page, sent } = shared
  const frame = await shared.frame()
  await shared.mark('first')
  const count = snapshotsIn(sent)
  await page.evaluate(`(async () => {
    recorder.stop()
    const { record, startRecorder } = await load()
    window.again = startRecorder({ connection, record })
    window.states = []
    again.on('state', (state) => states.push(state))
  })()`)
  await until(() => snapshotsIn(sent) > count, 'a snapshot')
  const told = async () => await page.evaluate('[again.state, again.watchers, recorder.watchers, states]')
  await eventually(told, ['watched', ['Anna'], [], ['watched']])
  await frame.fill('#inner', 'typed in the frame')
  await page.fill('#deep', 'typed in the shadow')
  await shared.mark('typed in the page')
  for (const text of ['typed in the frame', 'typed in the shadow', 'typed in the page']) {
    t.equal(sent.filter((message) => message.includes(text)).length, 1, text)
  }
})

t.test('the connection – closed for good – stops the recorder', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const { page, told } = await lab.open(t, 'plain')
  await page.evaluate('connection.close()')
  await eventually(async () => await page.evaluate('recorder.state'), 'stopped')
  await eventually(async () => (await told()).at(-1), 'state "stopped"')
})

t.test('show – of a page that rrweb cannot follow – sends it again', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const { page, sent } = await lab.open(t, 'plain')
  await page.evaluate('recorder.show()')
  await until(() => snapshotsIn(sent) === 2, 'a second snapshot')
})

t.test('options – wrong or unknown – are refused by name', { skip }, async (t) => {
  const lab = await startPlainLab(t)
  const { page } = await lab.open(t, 'plain', { isWatched: false })
  const refused = async (options: string) => await page.evaluate<string>(`load().then(({ startRecorder, record }) => {
    try {
      startRecorder({ connection, record, ...${options} })
      return 'accepted'
    } catch (error) {
      return error.name + ': ' + error.message
    }
  })`)
  for (const [options, message] of [
    ['{ connection: undefined }', 'connection" option of startRecorder must be a connection of fastify-cobrowse/client'],
    ['{ connection: { send () {} } }', 'connection" option'],
    ['{ record: () => {} }', 'record" option of startRecorder must be the function record of rrweb 2'],
    ['{ private: "div[" }', 'private" option of startRecorder must be a CSS selector'],
    ['{ private: 7 }', 'private" option'],
    ['{ maskAll: "yes" }', 'maskAll" option of startRecorder must be a boolean, or { show }'],
    ['{ maskAll: { show: "p", hide: "q" } }', 'maskAll" option'],
    ['{ maskAll: { show: "p[" } }', 'maskAll" option'],
    ['{ onNote: "note" }', 'onNote" option'],
    ['{ signal: {} }', 'signal" option'],
    ['{ privat: "p" }', 'startRecorder has no option "privat"'],
    ['{ toString: "p" }', 'startRecorder has no option "toString"']
  ] as const) {
    const answer = await refused(options)
    t.ok(answer.startsWith('TypeError: ') && answer.includes(message), `${options}: ${answer}`)
  }
  const without = await refused('{ private: undefined, maskAll: undefined, onNote: undefined, signal: undefined }')
  t.equal(without, 'accepted')
})
