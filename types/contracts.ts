import type { Provision } from './provision.js'
import type { Registry } from './registry.js'
import type { Session, Sessions } from './sessions.js'

/**
 * Registers one test with a runner: `test` of `node:test` or vitest, `t.test` of tap, or any function that calls `run`
 * and treats a rejection as a failure.
 */
export type ContractTest = (name: string, run: () => Promise<void>) => unknown

export interface ContractOptions {
  /** The runner. Each sentence of the contract becomes the title of one test. */
  test: ContractTest
  /**
   * Milliseconds that one call of the adapter may take, retries included, and that an effect may take to show.
   * @default 20000
   */
  patience?: number | undefined
}

export interface BindingContractOptions extends ContractOptions {
  /**
   * Seconds of the short linger. Sentences about the end of a binding use a registry with this linger, and wait.
   * @default 1
   */
  linger?: number | undefined
  /**
   * Milliseconds after the linger by which the registry has certainly ended a binding.
   * @default 2000
   */
  slack?: number | undefined
  /**
   * Milliseconds by which the clock of the store and that of the tests may differ.
   * @default 1000
   */
  clockSkew?: number | undefined
}

export interface MembershipContractOptions extends BindingContractOptions {
  /**
   * `false` for a registry without `end`: sentences about ended calls are left out.
   * @default true
   */
  endsCalls?: boolean | undefined
}

/** Part of an adapter under test that its maker may have to clean up. */
export interface UnderTest {
  /**
   * Called once after each sentence, kept or broken, when the adapters are closed: ends stores, clients and servers
   * that were made for the sentence.
   */
  close?: (() => void | Promise<void>) | undefined
}

/** Times that a registry under test must be created with. */
export interface RegistryTimes {
  /** Seconds a binding outlives the last signature. Long if no binding may end, since machines are noisy. */
  linger: number
}

export interface RegistryUnderTest extends UnderTest {
  /** The registry of a gateway. The contract starts and closes it. */
  registry: Registry
  /**
   * The registry of the nodes' process, on the same store. The contract starts and closes it. Left out: `registry`.
   */
  nodes?: Registry | undefined
}

/** Called once for each sentence. The store must be empty and settled. */
export type MakeRegistry = (times: RegistryTimes) => RegistryUnderTest | Promise<RegistryUnderTest>

export interface ListedUnderTest extends UnderTest {
  /** The registry of a gateway. The contract starts and closes it. */
  registry: Registry
  /** Makes the registry of another gateway on the same store. The contract starts and closes it. */
  another (): Registry
  /** Lists a node with this internal address, or changes the record of a node that is listed. */
  list (id: string, wssUrl: string): Promise<unknown>
  /** Makes the record of a node unreadable; lists the node if it is not listed. The text contains `secret`. */
  spoil (id: string, secret: string): Promise<unknown>
  /** Takes a node off the list. */
  unlist (id: string): Promise<unknown>
}

/** Called once for each sentence. The store must be empty and settled. */
export type MakeListed = (times: RegistryTimes) => ListedUnderTest | Promise<ListedUnderTest>

export interface SessionsUnderTest extends UnderTest {
  /** The contract starts and closes it. */
  sessions: Sessions
  /** Makes a token, the one live token of this user from now on. */
  issue (session: Session): string | Promise<string>
  /** Ends the token of this user. */
  revoke (session: Session): void | Promise<void>
}

/** Called once for each sentence. */
export type MakeSessions = () => SessionsUnderTest | Promise<SessionsUnderTest>

export interface ProvisionUnderTest extends UnderTest {
  /** An adapter that can be asked. The contract starts and closes it. */
  provision: Provision
}

/** Called once for each sentence. */
export type MakeProvision = () => ProvisionUnderTest | Promise<ProvisionUnderTest>
