import t from 'tap'
import { PART_CHARACTERS, toMessages } from '../../lib/recorder/parts.js'

t.test('an event – up to the size of a part – is one message', async (t) => {
  for (const length of [2, PART_CHARACTERS]) t.strictSame(toMessages('x'.repeat(length)), ['x'.repeat(length)])
})

t.test('a larger event – in parts – comes together again, and says where it begins and ends', async (t) => {
  const lengths = [PART_CHARACTERS + 1, 2 * PART_CHARACTERS - 2, 2 * PART_CHARACTERS - 1, 5 * PART_CHARACTERS + 7]
  for (const length of lengths) {
    const event = Array.from({ length }, (_, place) => String.fromCharCode(97 + place % 26)).join('')
    const messages = toMessages(event)
    t.equal(messages.map((text) => text.slice(1)).join(''), event)
    t.match(messages.map((text) => text[0]).join(''), /^<\+*>$/)
    t.ok(messages.every((text) => text.length <= PART_CHARACTERS), `${length}`)
  }
})

t.test('a pair of surrogates – at the end of a part – is not split', async (t) => {
  for (const shift of ['', 'x']) {
    const event = shift + '😀'.repeat(PART_CHARACTERS)
    const messages = toMessages(event)
    t.equal(messages.map((text) => Buffer.from(text.slice(1)).toString()).join(''), event)
    t.ok(messages.every((text) => Buffer.byteLength(text) <= 3 * PART_CHARACTERS))
  }
})
