import { test as nodeTest } from 'node:test'
import type { t } from 'tap'
import { expect, test } from 'tstyche'
import { memoryRegistry, memorySessions, staticProvision } from '../lib/index.js'
import {
  listedContract, membershipContract, provisionContract, registryContract, sessionsContract
} from '../lib/testing/index.js'
import type { ContractTest, MakeListed, MakeRegistry, MakeSessions } from './contracts.js'

/** The declaration of vitest: options come before or after the function. */
type VitestTest = (name: string, run?: (context: object) => unknown, options?: number | object) => void

const makeRegistry: MakeRegistry = ({ linger }) => ({ registry: memoryRegistry({ linger }) })

test('the tests of node:test, tap and vitest are runners', () => {
  expect<typeof nodeTest>().type.toBeAssignableTo<ContractTest>()
  expect<typeof t.test>().type.toBeAssignableTo<ContractTest>()
  expect<VitestTest>().type.toBeAssignableTo<ContractTest>()
  expect<(run: () => void) => void>().type.not.toBeAssignableTo<ContractTest>()
})

test('a registry suffices, alone or in a promise, and may not be missing', () => {
  expect(registryContract).type.toBeCallableWith({ test: nodeTest }, makeRegistry)
  expect(membershipContract).type.toBeCallableWith({ test: nodeTest }, async () => ({ registry: memoryRegistry() }))
  expect(registryContract).type.not.toBeCallableWith({ test: nodeTest }, () => ({}))
  expect(registryContract).type.not.toBeCallableWith({}, makeRegistry)
  expect(registryContract).type.not.toBeCallableWith({ test: nodeTest }, () => ({ registry: memorySessions() }))
})

test('an option that another contract has is refused', () => {
  expect(membershipContract).type.toBeCallableWith({ test: nodeTest, endsCalls: false, slack: 10 }, makeRegistry)
  expect(registryContract).type.not.toBeCallableWith({ test: nodeTest, endsCalls: false }, makeRegistry)
  expect(sessionsContract).type.not.toBeCallableWith({ test: nodeTest, linger: 1 }, makeRegistry)
})

test('sessions have to be issued and revoked, and listed nodes written', () => {
  const { issue, revoke, ...sessions } = memorySessions()
  expect(sessionsContract).type.toBeCallableWith(
    { test: nodeTest }, () => ({ sessions: { ...sessions, issue, revoke }, issue, revoke }))
  expect(() => ({ sessions: memorySessions() })).type.not.toBeAssignableTo<MakeSessions>()
  expect(listedContract).type.not.toBeCallableWith({ test: nodeTest }, makeRegistry)
  expect<MakeListed>().type.not.toBeAssignableFrom(makeRegistry)
})

test('an address suffices for provision', () => {
  expect(provisionContract).type.toBeCallableWith(
    { test: nodeTest }, () => ({ provision: staticProvision('entry.example') }))
})
