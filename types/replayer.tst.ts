import { Replayer } from 'rrweb'
import { expect, test } from 'tstyche'
import { connect } from '../lib/client/index.js'
import { createReplayer } from '../lib/replayer/index.js'
import type { ReplayerNote, ReplayerOptions, ReplayerState, RoomMembers } from './replayer.js'

const connection = connect({ roomId: 'r', userId: 'u', userName: 'U', role: 'replayer' })
const options: ReplayerOptions = { root: document.body, connection, Replayer }

test('the connection of the client and the class of rrweb suffice', () => {
  expect(createReplayer).type.toBeCallableWith(options)
  expect(createReplayer).type.toBeCallableWith({ ...options, title: undefined, signal: new AbortController().signal })
})

test('an unknown option and a value of another type are refused', () => {
  expect(createReplayer).type.not.toBeCallableWith({ ...options, Root: document.body })
  expect(createReplayer).type.not.toBeCallableWith({ ...options, root: '#root' })
  expect(createReplayer).type.not.toBeCallableWith({ ...options, connection: new EventTarget() })
  expect(createReplayer).type.not.toBeCallableWith({ root: document.body, connection })
})

test('events are typed', () => {
  const replayer = createReplayer(options)
  expect(replayer.state).type.toBe<ReplayerState>()
  replayer.on('members', (members) => expect(members).type.toBe<RoomMembers>())
  replayer.on('note', (note) => expect(note).type.toBe<ReplayerNote>())
  replayer.on('refused', (reason) => expect(reason).type.toBe<string>())
  expect(replayer.on).type.not.toBeCallableWith('closed', () => {})
})
