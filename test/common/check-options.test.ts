import { Type } from '@sinclair/typebox'
import t from 'tap'
import { checkOptions, ObjectWithMethods } from '../../lib/common/check-options.js'

const Options = Type.Object({
  given: ObjectWithMethods('a store', 'get'), left: Type.Optional(ObjectWithMethods('a store', 'get'))
})
const given = new Map()

t.test('an option with methods – is undefined – is left out if it is optional, and missing otherwise', async (t) => {
  checkOptions('a test', Options, { given, left: undefined })
  t.throws(() => checkOptions('a test', Options, { given: undefined }), /^"given" option of a test must be a store$/)
  t.throws(() => checkOptions('a test', Options, { given, left: {} }), /"left" option .*: it has no method "get"/)
})
