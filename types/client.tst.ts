import { expect, test } from 'tstyche'
import { WebSocket } from 'ws'
import { connect } from '../lib/client/index.js'
import type { CobrowseErrorCode, CobrowseFailure, Connection, ConnectOptions } from './client.js'

const options: ConnectOptions = { roomId: 'r', userId: 'u', userName: 'U', role: 'recorder' }

test('who, where and in which role suffices, and none of it may be missing', () => {
  expect(connect).type.toBeCallableWith(options)
  expect<Connection>().type.toBeAssignableFrom(connect(options))
  const { role, ...without } = options
  expect(connect).type.not.toBeCallableWith(without)
})

test('an unknown option and a value of another type are refused', () => {
  expect(connect).type.not.toBeCallableWith({ ...options, onmessage () {} })
  expect(connect).type.not.toBeCallableWith({ ...options, role: 'agent' })
  expect(connect).type.not.toBeCallableWith({ ...options, timeout: '5000' })
  expect(connect).type.not.toBeCallableWith({ ...options, address: 'internal' })
})

test('the WebSocket of ws fits, and what is none does not', () => {
  expect(connect).type.toBeCallableWith({ ...options, WebSocket })
  expect(connect).type.not.toBeCallableWith({ ...options, WebSocket: Map })
})

test('events and codes are typed', () => {
  const connection = connect(options)
  connection.on('retry', ({ error, wait }) => {
    expect(error).type.toBe<CobrowseFailure>()
    expect(wait).type.toBe<number>()
  })
  connection.on('close', (error) => expect(error?.code).type.toBe<CobrowseErrorCode | undefined>())
  expect(connection.on).type.not.toBeCallableWith('closed', () => {})
  expect<CobrowseErrorCode>().type.not.toBeAssignableFrom('40399' as const)
  expect<CobrowseErrorCode>().type.not.toBeAssignableFrom(4499 as const)
})
