import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { skipWithout } from './skip-reason.js'
import { until } from './until.js'
import type { Test } from 'tap'

export const withoutFirefox = skipWithout('firefox-esr')

const ARGS = ['--no-remote', '--headless', '--remote-debugging-port', '0']

/** A tab of Firefox. */
export interface FirefoxTab {
  /** Evaluates an expression, waits for its promise, and returns its value by way of JSON. */
  evaluate<T> (expression: string): Promise<T>
}

export interface Firefox {
  open (url: string): Promise<FirefoxTab>
}

/** Starts a Firefox that ends with the test. Debian's one is driven by WebDriver BiDi, which it speaks by itself. */
export async function startFirefox (t: Test): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-firefox-'))
  const child = spawn('firefox-esr', [...ARGS, '--profile', profile, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => { output += String(chunk) })
  t.teardown(async () => {
    const closed = once(child, 'close')
    child.kill()
    await closed
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  const address = await until(() => /listening on (ws:\S+)/.exec(output)?.[1], 'Firefox listens')
  const send = await connectTo(t, `${address}/session`)
  await send('session.new', { capabilities: {} })

  return {
    async open (url) {
      const { context } = await send('browsingContext.create', { type: 'tab' })
      await send('browsingContext.navigate', { context, url, wait: 'complete' })
      return {
        async evaluate<T> (expression: string): Promise<T> {
          const { result, exceptionDetails } = await send('script.evaluate', {
            expression: `Promise.resolve(${expression}).then((it) => JSON.stringify(it ?? null))`,
            target: { context },
            awaitPromise: true
          })
          if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
          return JSON.parse(result.value)
        }
      }
    }
  }
}

interface Answer {
  result: { context: string, result: { value: string }, exceptionDetails?: object }
  error?: string
  message?: string
}

type Command = (method: string, params: object) => Promise<Answer['result']>

async function connectTo (t: Test, url: string): Promise<Command> {
  const socket = new WebSocket(url)
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data))
    waiting.get(answer.id)?.(answer)
  })
  return async (method, params) => {
    const id = ++lastId
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error, message } = await new Promise<Answer>((resolve) => { waiting.set(id, resolve) })
    waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error}: ${message}`)
    return result
  }
}
