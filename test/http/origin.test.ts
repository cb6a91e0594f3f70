import t from 'tap'
import { body, buildApp } from '../support/build-app.js'

const own = { host: 'gateway.example:18446' }
const allowedOrigins = ['https://app.corp.example']

t.test('an allowed web page, or a caller that is no browser – may ask', async (t) => {
  const { ask } = await buildApp(t, { options: { allowedOrigins } })
  const good: Array<Record<string, string>> = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://gateway.example:18446' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://gateway.example:18446' },
    { origin: 'http://gateway.example:18446' },
    { origin: 'https://gateway.example', host: 'gateway.example' },
    { origin: 'https://gateway.example', host: 'gateway.example:443' },
    { origin: 'https://app.corp.example' },
    { origin: 'https://app.corp.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://app.corp.example', 'sec-fetch-site': 'same-site' }
  ]
  for (const headers of good) {
    t.equal((await ask({ headers: { ...own, ...headers } })).statusCode, 200, JSON.stringify(headers))
  }
})

t.test('any other web page – with any credentials – is rejected', async (t) => {
  const { ask } = await buildApp(t, { options: { allowedOrigins } })
  const bad: Array<Record<string, string>> = [
    { origin: 'null' },
    { origin: '' },
    { origin: 'https://evil.test' },
    { origin: 'https://app.corp.example.evil.test' },
    { origin: 'https://app.corp.еxample' },
    { origin: 'http://app.corp.example' },
    { origin: 'https://app.corp.example:8443' },
    { origin: 'https://app.corp.example, https://evil.test' },
    { origin: 'https://gateway.example:18447' },
    { origin: 'https://gateway.example' },
    { origin: 'https://gateway.example:18446/' },
    { origin: 'file://gateway.example:18446' },
    { origin: 'garbage' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://gateway.example:18446' },
    { 'sec-fetch-site': 'garbage', origin: 'https://app.corp.example' },
    { 'sec-fetch-site': 'garbage' }
  ]
  for (const headers of bad) {
    const response = await ask({ headers: { ...own, ...headers } })
    t.strictSame([response.statusCode, response.json().retCode], [403, '40302'], JSON.stringify(headers))
  }
})

t.test('X-Forwarded-Host – counts only with trustProxy', async (t) => {
  const headers = { host: '10.0.0.1:8446', 'x-forwarded-host': 'gateway.example', origin: 'https://gateway.example' }
  const plain = await buildApp(t)
  t.equal((await plain.ask({ headers })).statusCode, 403)
  const trusting = await buildApp(t, { server: { trustProxy: true } })
  t.equal((await trusting.ask({ headers })).statusCode, 200)
})

t.test('the origin – is checked before body and token, and the log names the option', async (t) => {
  const lines: string[] = []
  const stream = { write (line: string) { lines.push(line) } }
  const { ask } = await buildApp(t, { server: { logger: { level: 'info', stream }, requestTimeout: 1000 } })
  const response = await ask({ payload: { ...body, role: 'x' }, headers: { origin: 'https://evil.test', cookie: '' } })
  t.equal(response.json().retCode, '40302')
  t.match(lines.find((line) => line.includes('40302')), /allowedOrigins/)
})
