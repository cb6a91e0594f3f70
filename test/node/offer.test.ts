import t from 'tap'
import { readOffer } from '../../lib/node/index.js'

const PROTOCOLS = 'sec-websocket-protocol'
const SIGNATURE = 'eyJh.eyJi.c2ln'

t.test('the signature – is the protocol offered beside cobrowse.v1', async (t) => {
  const offers: Array<[string | string[] | undefined, string]> = [
    [`cobrowse.v1, ${SIGNATURE}`, SIGNATURE],
    [`cobrowse.v1,${SIGNATURE}`, SIGNATURE],
    [['cobrowse.v1', SIGNATURE], SIGNATURE],
    [`cobrowse.v1, ${SIGNATURE}, ${SIGNATURE}`, SIGNATURE],
    [undefined, ''],
    ['', ''],
    ['cobrowse.v1', ''],
    ['cobrowse.v1,', ''],
    [SIGNATURE, ''],
    [`cobrowse.v2, ${SIGNATURE}`, ''],
    [`cobrowse.v1, ${SIGNATURE}, other`, ''],
    [`cobrowse.v1, ${'x'.repeat(4096)}`, ''],
    [`cobrowse.v1,${','.repeat(65_536)}`, ''],
    ['__proto__, constructor', '']
  ]
  for (const [offered, signature] of offers) {
    t.equal(readOffer({ [PROTOCOLS]: offered }).signature, signature, String(offered).slice(0, 60))
  }
})

t.test('the origin – is passed on unchanged', async (t) => {
  t.strictSame(readOffer({}), { signature: '', origin: undefined })
  t.equal(readOffer({ origin: 'https://app.example' }).origin, 'https://app.example')
  t.equal(readOffer({ origin: 'null' }).origin, 'null')
  t.equal(readOffer({ origin: '' }).origin, undefined, 'uWebSockets reports a missing origin as an empty text')
})
