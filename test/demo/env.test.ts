import t from 'tap'
import { readEnv } from '../../demo/env.js'

const KEY = 'a key of the operator, long enough'
const SAMPLE_KEY = 'sample key of the demo, never use it elsewhere'
const PUBLIC_URL = 'wss://cobrowse.example'
const complete = { HOST: '0.0.0.0', COBROWSE_KEY: KEY, PUBLIC_URL, AGENTS: 'agent-*' }

t.test('the start beyond loopback – a decision missing – is rejected, and the variable named', async (t) => {
  const { COBROWSE_KEY, AGENTS, ...undecided } = complete
  const cases: Array<[Record<string, string>, RegExp]> = [
    [undecided, /^COBROWSE_KEY must be set when HOST is not loopback/],
    [{ ...undecided, HOST: '' }, /^COBROWSE_KEY must be set when HOST is not loopback/],
    [{ ...undecided, HOST: '::' }, /^COBROWSE_KEY must be set when HOST is not loopback/],
    [{ ...undecided, HOST: '127.0.0.1.example' }, /^COBROWSE_KEY must be set when HOST is not loopback/],
    [{ PUBLIC_URL }, /^COBROWSE_KEY must be set when PUBLIC_URL is not loopback/],
    [{ PUBLIC_URL: 'wss://127.0.0.1.example' }, /^COBROWSE_KEY must be set when PUBLIC_URL is not loopback/],
    [{ PUBLIC_URL, COBROWSE_KEY: SAMPLE_KEY }, /^COBROWSE_KEY must be set .* sample key is published/],
    [{ ...complete, COBROWSE_KEY_PREVIOUS: SAMPLE_KEY }, /^COBROWSE_KEY_PREVIOUS must not be the sample key/],
    [{ HOST: '0.0.0.0', COBROWSE_KEY: KEY }, /PUBLIC_URL must be set/],
    [{ ...undecided, COBROWSE_KEY: KEY }, /^AGENTS or AUTHORIZE_URL must be set when HOST is not loopback/],
    [{ PUBLIC_URL, COBROWSE_KEY: KEY }, /^AGENTS or AUTHORIZE_URL must be set when PUBLIC_URL is not loopback/],
    [{ ...complete, AUTHORIZE_URL: 'http://127.0.0.1/' }, /^AGENTS and AUTHORIZE_URL are both set/]
  ]
  for (const [env, message] of cases) t.throws(() => readEnv(env), { message }, JSON.stringify(env))
  t.match(readEnv(complete), { isLoopback: false, allowedHosts: undefined })
  t.match(readEnv({ PUBLIC_URL, COBROWSE_KEY: KEY, AUTHORIZE_URL: 'https://calls.example/may' }), { isLoopback: false })
})

t.test('the sample key – on loopback – works for loopback addresses only', async (t) => {
  for (const env of [{}, { HOST: 'localhost' }, { HOST: '::1' }, { PUBLIC_URL: 'ws://127.0.0.1:8446' }]) {
    t.match(readEnv(env), { isLoopback: true, allowedHosts: ['localhost', '127.0.0.0/8', '::1'] })
  }
  t.equal(readEnv({ COBROWSE_KEY: KEY }).allowedHosts, undefined)
})

t.test('a public address or a service – malformed – is rejected with its rule', async (t) => {
  const rule = /^PUBLIC_URL must be wss:\/\/host\[:port\], without path, query or credentials$/
  for (const url of ['', 'cobrowse.example', 'https://a.example', 'wss://a.example/path', 'wss://u:p@a.example', 'wss://a.example?x']) {
    t.throws(() => readEnv({ ...complete, PUBLIC_URL: url }), { message: rule }, url)
  }
  t.throws(() => readEnv({ ...complete, PUBLIC_URL: 'ws://a.example' }), /^PUBLIC_URL must begin with wss:/)
  t.equal(readEnv({ ...complete, PUBLIC_URL: 'wss://A.example:443/' }).PUBLIC_URL, 'wss://a.example')
  for (const AUTHORIZE_URL of ['', 'calls.example', 'ftp://calls.example', 'https://u:p@calls.example', 'https://a/#b']) {
    t.throws(() => readEnv({ AUTHORIZE_URL }), /^AUTHORIZE_URL must be an http/, AUTHORIZE_URL)
  }
  for (const AGENTS of ['', ' , ', 'a*b*', 'channel:', 'agent one', 'ä', 'user:']) {
    t.throws(() => readEnv({ AGENTS }), /^AGENTS/, AGENTS)
  }
})

t.test('a port – that is no number – is rejected', async (t) => {
  t.throws(() => readEnv({ PORT: 'x' }), { message: /PORT/ })
})
