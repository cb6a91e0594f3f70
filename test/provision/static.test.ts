import t from 'tap'
import { staticProvision } from '../../lib/provision/static.js'
import { provisionContract } from '../../lib/testing/index.js'
import { node, session } from './start-http.js'

const signal = AbortSignal.timeout(60_000)

await provisionContract({ test: t.test }, () => ({ provision: staticProvision('entry.example') }))

t.test('a host, host:port or URL – is accepted, and the node’s path appended', async (t) => {
  const taken = {
    'entry.example': 'wss://entry.example/ws/cobrowse/1',
    'entry.example:8443': 'wss://entry.example:8443/ws/cobrowse/1',
    '192.0.2.7:8443': 'wss://192.0.2.7:8443/ws/cobrowse/1',
    '2001:db8::7': 'wss://[2001:db8::7]/ws/cobrowse/1',
    'wss://entry.example': 'wss://entry.example/ws/cobrowse/1',
    'wss://entry.example:8443/other': 'wss://entry.example:8443/ws/cobrowse/1',
    'ws://127.0.0.1:8446': 'ws://127.0.0.1:8446/ws/cobrowse/1'
  }
  for (const [address, url] of Object.entries(taken)) {
    t.equal(await staticProvision(address).externalUrl(node, session, signal), url, address)
  }
})

t.test('any other value – stops the start with a sentence that names the option', async (t) => {
  const refused = [
    '', undefined, 7, 'https://entry.example', 'wss://user@entry.example', 'wss://entry.example?x', 'Entry.example',
    'entry.example:0', 'entry.example:99999', 'wss:entry.example', ' entry.example', 'javascript:alert(1)'
  ]
  for (const address of refused) {
    // Callers in JavaScript may pass these.
    const build = () => staticProvision(address as string)
    t.throws(build, { name: 'TypeError', message: /^"address" option of staticProvision must be a host/ }, String(address))
  }
})
