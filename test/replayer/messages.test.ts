import t from 'tap'
import { readMembers, readNote } from '../../lib/replayer/messages.js'

t.test('the message of a node that names the members – is read, and any other is ignored', async (t) => {
  const members = [{ id: 1, user: 'a', name: 'Anna', role: 'replayer' }, { id: 2, user: 'c', name: 'Li Na', role: 'recorder' }]
  const told = { type: 'members', you: 1, recorder: 2, members }
  t.match(readMembers(JSON.stringify(told)), { you: 1, recorder: 2, members })
  t.match(readMembers(JSON.stringify({ ...told, recorder: null })), { recorder: null })
  const strange = [{ id: 'x', name: 'x', role: 'recorder' }, { id: 3, name: 'x', role: 'observer' }, null, 7]
  t.strictSame(readMembers(JSON.stringify({ ...told, members: strange }))?.members, [])
  for (const text of ['{"type":"alive"}', '', '{', 'null', '[]', '{"type":"members"}', '{"type":"members","you":1}']) {
    t.equal(readMembers(text), undefined, text)
  }
})

t.test('a note – of a recorder that may be anything – is a short code and a text of limited length', async (t) => {
  t.strictSame(readNote('{"code":"left-out","text":"<b>x</b>","more":1}'), { code: 'left-out', text: '<b>x</b>' })
  t.equal(readNote(JSON.stringify({ code: 'paused', text: 'x'.repeat(10_000) }))?.text.length, 500)
  for (const code of ['', 'Left Out', 'x'.repeat(40), 7, null]) t.equal(readNote(JSON.stringify({ code, text: 'x' })), undefined)
  for (const text of ['', '7', '{"code":"x"}', '{"code":"x","text":{}}']) t.equal(readNote(text), undefined, text)
})
