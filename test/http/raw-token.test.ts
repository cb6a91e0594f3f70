import t from 'tap'
import { readRawToken } from '../../lib/http/raw-token.js'

const NAME = 'ccmessaging-token'
const missing = { code: 'FST_COBROWSE_40101' }

t.test('a token – in a cookie or in the header line – is read as sent', async (t) => {
  const good: Array<[string, string[]]> = [
    ['a%3D', ['Cookie', `${NAME}=a%3D`]],
    ['a%3D', ['CCMessaging-Token', 'a%3D']],
    ['a', ['cookie', `x=1; ${NAME}=a; y="2"`]],
    ['a', ['cookie', `x=1;${NAME}= a\t;y`]],
    ['a=b=', ['cookie', `${NAME}=a=b=`]],
    ['a', ['cookie', 'x=1', 'cookie', `${NAME}=a`]],
    ['a', ['cookie', `${NAME}=a`, NAME, 'a']],
    ['a', ['cookie', `${NAME}=a; ${NAME}=a`]],
    ['a', ['cookie', `${NAME}X; ${NAME}=a`]],
    ['a', ['cookie', `${NAME}=a; ${NAME}X; ${NAME}`]],
    ['a', ['cookie', `${NAME}X`, 'cookie', `${NAME}=a`, NAME, 'a']],
    ['%0d%0aX:1', ['cookie', `${NAME}=%0d%0aX:1`]]
  ]
  for (const [token, headers] of good) t.equal(readRawToken(headers), token, JSON.stringify(headers))
})

t.test('a missing or ambiguous token – is rejected', async (t) => {
  const bad: Array<[string, string[]]> = [
    ['nothing', []],
    ['an empty cookie', ['cookie', `${NAME}=`]],
    ['an empty header', [NAME, '']],
    ['upper case', ['cookie', `${NAME.toUpperCase()}=a`]],
    ['two that differ', ['cookie', `${NAME}=a; ${NAME}=b`]],
    ['two cookie lines that differ', ['cookie', `${NAME}=a`, 'cookie', `${NAME}=b`]],
    ['cookie and header differ', ['cookie', `${NAME}=a`, NAME, 'b']],
    ['one is empty', ['cookie', `${NAME}=; ${NAME}=a`]],
    ['quoted', ['cookie', `${NAME}="a"`]],
    ['inside a quoted string', ['cookie', `$Version=1; a="x; ${NAME}=real; b=y"`]],
    ['nameless', ['cookie', `=${NAME}=evil`]],
    ['behind a comma', ['cookie', `a=1, ${NAME}=x`]],
    ['a space before the equals sign', ['cookie', `${NAME} =x`]],
    ['no equals sign', ['cookie', `${NAME}`]],
    ['a longer name without an equals sign', ['cookie', `${NAME}X`]],
    ['the same beside another cookie', ['cookie', `a=1; ${NAME}1; b=2`]],
    ['a longer name', ['cookie', `x${NAME}=a; ${NAME}2=b`]]
  ]
  for (const [what, headers] of bad) t.throws(() => readRawToken(headers), missing, what)
})
