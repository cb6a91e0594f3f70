import { record } from 'rrweb'
import { expect, test } from 'tstyche'
import { connect } from '../lib/client/index.js'
import { createIndicator, startRecorder } from '../lib/recorder/index.js'
import type { Connection } from './client.js'
import type { Recorder, RecorderConnection, RecorderNote, RecorderState, RrwebRecord } from './recorder.js'

const connection = connect({ roomId: 'r', userId: 'u', userName: 'U', role: 'recorder' })

test('the connection of the client helper and the function of rrweb fit', () => {
  expect<RecorderConnection>().type.toBeAssignableFrom<Connection>()
  expect<RrwebRecord>().type.toBeAssignableFrom<typeof record>()
  expect(startRecorder({ connection, record })).type.toBe<Recorder>()
  expect(startRecorder).type.toBeCallableWith({
    connection, record, private: '.account', maskAll: { show: '.public' }, signal: new AbortController().signal
  })
})

test('a missing option, an unknown one and a value of another type are refused', () => {
  expect(startRecorder).type.not.toBeCallableWith({ connection })
  expect(startRecorder).type.not.toBeCallableWith({ connection, record, privat: '.account' })
  expect(startRecorder).type.not.toBeCallableWith({ connection, record, maskAll: '.public' })
  expect(startRecorder).type.not.toBeCallableWith({ connection, record: () => {} })
})

test('events are typed', () => {
  const recorder = startRecorder({ connection, record })
  recorder.on('watchers', (names) => expect(names).type.toBe<readonly string[]>())
  recorder.on('state', (state) => expect(state).type.toBe<RecorderState>())
  recorder.on('note', (note) => expect(note).type.toBe<RecorderNote>())
  expect(recorder.on).type.not.toBeCallableWith('watching', () => {})
  expect(createIndicator(recorder, { words: { stop: 'Beenden' } })).type.toBe<HTMLElement>()
  expect(createIndicator).type.not.toBeCallableWith(recorder, { words: { stopp: 'Beenden' } })
})
