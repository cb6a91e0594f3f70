import t from 'tap'
import {
  bareAddress, bareAddresses, bareStyle, ownFragment, styleWithoutImages
} from '../../lib/recorder/addresses.js'

t.test('an address – of any form – loses query, fragment and credentials', async (t) => {
  for (const [given, expected] of [
    ['https://site.example/a/b?token=1#part', 'https://site.example/a/b'],
    ['/a#part?x', '/a'],
    ['?token', ''],
    [' a b?c ', 'a b'],
    ['https://user:secret@site.example/@x', 'https://site.example/@x'],
    ['mailto:a@b.example?subject=secret', 'mailto:a@b.example'],
    ['data:image/png;base64,AA?A#A', 'data:image/png;base64,AA?A#A'],
    ['data:text/csv,secret', ''],
    ['JavaScript:run()', ''],
    ['blob:https://site.example/1', ''],
    ['', '']
  ] as const) t.equal(bareAddress(given), expected, given)
})

t.test('a fragment – of the same page only – is kept apart', async (t) => {
  const page = 'https://site.example/a?token#now'
  t.equal(ownFragment('#part', page), '#part')
  t.equal(ownFragment('https://site.example/a?token#part', page), '#part')
  t.equal(ownFragment('https://site.example/b#part', page), undefined)
  t.equal(ownFragment('https://site.example/a', page), undefined)
})

t.test('a list of addresses – with their sizes – stays a list', async (t) => {
  t.equal(bareAddresses('a.png?x 1x, https://h.example/b.png?y#z 2x'), 'a.png 1x, https://h.example/b.png 2x')
  t.equal(bareAddresses('a.png?x, b.png 2x'), 'a.png, b.png 2x')
})

t.test('styles – each address in them – lose what an address loses, and nothing else', async (t) => {
  for (const [given, expected] of [
    ['a { color: red }', 'a { color: red }'],
    ['url(a.png?x)', 'url("a.png")'],
    ["url('a.png?x') url( \"b.png#y\" )", 'url("a.png") url("b.png")'],
    ['URL(a.png)', 'url(a.png)'],
    ['fill: url(#part)', 'fill: url(#part)'],
    ['url("data:image/svg+xml,<svg xmlns=\\"x\\" a=\'(b)?\'></svg>")', 'url("data:image/svg+xml,<svg xmlns=\\"x\\" a=\'(b)?\'></svg>")'],
    ['url(data:font/woff2;base64,AA)', 'url(data:font/woff2;base64,AA)'],
    ['url(data:text/html,x)', 'url("")'],
    ['@import "https://h.example/a.css?x" screen', '@import "https://h.example/a.css" screen'],
    ['url("a?x', 'url("a"'],
    ['url(', 'url(']
  ] as const) t.equal(bareStyle(given), expected, given)
  t.equal(styleWithoutImages('url(a.png) url(#b) url(data:image/png,A) url(data:font/woff,A)'), 'url("") url(#b) url("") url(data:font/woff,A)')
})

t.test('styles – of some megabytes – are cleaned in linear time', async (t) => {
  const timeOf = (css: string) => {
    const startedAt = performance.now()
    bareStyle(css)
    return performance.now() - startedAt
  }
  for (const piece of ['url(', 'url("', 'url("\\"', '"//', 'url(a?b) ', "'//?"]) {
    const ms = timeOf(piece.repeat(1024 * 1024 / piece.length))
    t.ok(ms < 5000, `${piece}: ${Math.round(ms)} ms`)
  }
})
