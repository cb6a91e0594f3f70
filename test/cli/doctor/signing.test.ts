import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { checkKey, readKey } from '../../../lib/cli/doctor/signing.js'
import { expectFinding, NO_ENV } from './expect.js'

t.test('doctor – a signing key – is used as gateway and node use it', async (t) => {
  expectFinding(t, [await checkKey(undefined)], ['signing key', 'not checked', /set COBROWSE_KEY/])
  expectFinding(t, [await checkKey({ id: 'k', secret: 's'.repeat(32) })], ['signing key', 'ok', /k signs.*\(HS256\)/])
  expectFinding(t, [await checkKey({ id: 'k', secret: 'short' })],
    ['signing key', 'fault', /^the key in COBROWSE_KEY must be at least 32 bytes long$/])
  expectFinding(t, [await checkKey({ id: 'k k', secret: 's'.repeat(32) })], ['signing key', 'fault', /^--key-id must be 1 to 64/])
  expectFinding(t, [await checkKey({ id: 'k', privateKey: 'no key' })], ['signing key', 'fault', /^the key in --private-key must/])
})

t.test('doctor – a private key in a file – is read', async (t) => {
  Object.assign(process.env, NO_ENV)
  const file = join(t.testdir(), 'key.pem')
  writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  expectFinding(t, [await checkKey(readKey({ 'private-key': file }))], ['signing key', 'ok', /\(EdDSA\)/])
  t.throws(() => readKey({ 'private-key': `${file}.no` }), { name: 'UsageError', message: /cannot be read: ENOENT/ })
  t.throws(() => readKey({ 'key-id': 'k' }), { name: 'UsageError', message: /--key-id needs the key/ })
})
