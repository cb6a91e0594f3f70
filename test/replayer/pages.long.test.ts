// Pages as applications are built today, recorded by rrweb: the picture has the boxes and the look of the page.
import t from 'tap'
import { closeChromium, openBrowser, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { openRecorded, openViewer } from './viewer-page.js'
import type { Page } from 'playwright-core'

const skip = withoutChromium
t.teardown(closeChromium)

interface Sample {
  name: string
  head?: string
  body: string
  /** Runs before the page is shared, and after the picture is shown. */
  before?: string
  after?: string
  /** Elements to compare, each by a path of selectors through shadow roots. */
  parts: string[]
}

const SHEET = `const sheet = new CSSStyleSheet()
  sheet.replaceSync('p { color: rgb(1, 2, 3); font-size: 40px } :host([warm]) p { color: rgb(200, 2, 3) }')`

const SAMPLES: Sample[] = [
  {
    name: 'unknown elements of Angular, with its hooks for styles',
    head: '<style>app-card { display: block; border: 1px solid } p[_ngcontent-ng-c1] { color: rgb(9, 9, 9) }</style>',
    body: '<app-root><app-card><p _ngcontent-ng-c1 id="a">Balance</p><input id="b"></app-card></app-root>',
    after: 'document.querySelector("app-card").insertAdjacentHTML("beforeend", "<app-note id=c>added</app-note>")',
    parts: ['#a', '#b', 'app-card', '#c']
  },
  {
    name: 'custom elements with shadow roots, slots and adopted style sheets',
    head: '<style>my-card:not(:defined) { visibility: hidden } my-card::part(title) { font-weight: 700 }</style>',
    body: '<my-card id="card"><b slot="top" id="top">slotted</b></my-card><div id="host"></div>',
    before: `${SHEET}
      const fill = (host) => {
        const root = host.attachShadow({ mode: 'open' })
        root.adoptedStyleSheets = [sheet]
        root.innerHTML = '<slot name="top"></slot><p id="in" part="title">inside</p>'
      }
      customElements.define('my-card', class extends HTMLElement { constructor () { super(); fill(this) } })
      fill(document.querySelector('#host'))
      const page = new CSSStyleSheet()
      page.replaceSync('body { background: rgb(9, 9, 9) }')
      document.adoptedStyleSheets = [page]
      window.sheet = sheet`,
    after: `document.querySelector('#card').setAttribute('warm', '')
      sheet.insertRule('p { padding: 3px }')
      document.querySelector('#host').shadowRoot.querySelector('p').textContent = 'changed'`,
    parts: ['#card', '#card >> #in', '#host >> #in', '#top', 'body']
  },
  {
    name: 'style sheets for print, and one whose medium changes',
    head: `<style media="print">#a { display: none }</style>
      <style id="late" media="print">#b { color: rgb(5, 6, 7) }</style>`,
    body: '<p id="a">a</p><p id="b">b</p>',
    after: 'document.querySelector("#late").media = "all"',
    parts: ['#a', '#b']
  },
  {
    name: 'linked style sheets, for print, at once and late',
    head: '<link rel="stylesheet" href="/screen.css"><link rel="stylesheet" media="print" href="/print.css">',
    body: '<p id="a">a</p><p id="b">b</p>',
    after: 'document.head.insertAdjacentHTML("beforeend", "<link rel=stylesheet href=/late.css>")',
    parts: ['#a', '#b']
  },
  {
    name: 'selectors for links and for data',
    head: `<style>a:link { color: rgb(7, 7, 7) } a[href] { font-weight: 700 } [data-state=closed] { display: none }
      [data-theme=dark] body { background: rgb(10, 10, 10) }</style>`,
    body: '<a id="a" href="/x">link</a><p id="b" data-state="open">panel</p><p id="c" data-state="closed">panel</p>',
    before: 'document.documentElement.dataset.theme = "dark"',
    after: 'document.querySelector("#b").dataset.state = "closed"; document.querySelector("#c").dataset.state = "open"',
    parts: ['#a', '#b', '#c', 'body']
  },
  {
    name: 'SVG with symbols, gradients and filters',
    body: `<svg width="0" height="0"><symbol id="i" viewBox="0 0 10 10"><rect width="10" height="10"/></symbol></svg>
      <svg width="50" height="50"><use id="a" href="#i"></use></svg>
      <svg width="50" height="50"><use id="b" xlink:href="#i"></use></svg>
      <svg width="90" height="50"><foreignObject width="90" height="50"><p id="c">text</p></foreignObject></svg>`,
    parts: ['#a', '#b', '#c']
  },
  {
    name: 'elements whose content is not shown',
    head: '<style>iframe, canvas, video, object, img { display: block } #r { width: 50%; height: auto }</style>',
    body: `<iframe id="f" width="600" height="200"></iframe><iframe id="g" frameborder="0"></iframe>
      <canvas id="c" width="600" height="200"></canvas><video id="v" width="600" height="100"></video>
      <object id="o" width="100" height="40" data="/pic.svg"></object>
      <img id="i" src="/pic.svg" width="300" height="150"><img id="r" src="/pic.svg" width="300" height="150">
      <p id="below">below</p>`,
    parts: ['#f', '#g', '#c', '#v', '#o', '#i', '#r', '#below']
  },
  {
    name: 'a modal dialog above a page that is scrolled',
    head: '<style>dialog::backdrop { background: red }</style>',
    body: '<div style="height: 3000px">long</div><dialog id="a"><p id="b">Really pay?</p></dialog>',
    after: 'window.scrollTo(0, 1500); document.querySelector("#a").showModal()',
    parts: ['#a', '#b']
  },
  {
    name: 'a modal dialog that is open when the page is shared, and closes',
    body: '<p id="a">a</p><dialog id="b">b</dialog><dialog id="c">c</dialog>',
    before: 'for (const id of ["b", "c"]) document.getElementById(id).showModal()',
    after: 'document.querySelector("#c").close()',
    parts: ['#a', '#b', '#c']
  },
  {
    name: 'a popover that is closed, and one that the recorder marks as open',
    body: '<p id="a">a</p><div popover id="b">secret</div><div popover id="c">menu</div>',
    after: 'document.querySelector("#c").showPopover(); document.querySelector("#c").dataset.cobrowseOpen = ""',
    parts: ['#a', '#b', '#c']
  },
  {
    name: 'nested rules, layers, containers and conditions',
    head: `<style>.card { & .in { color: rgb(4, 5, 6) } } @layer base { #l { color: rgb(8, 8, 8) } }
      @media (min-width: 1px) { #m { color: rgb(9, 9, 9) } } @supports (display: grid) { #s { display: grid } }
      @container (min-width: 1px) { #q { color: rgb(3, 3, 3) } }</style>`,
    body: `<div class="card"><p class="in" id="in">in</p></div><p id="l">l</p><p id="m">m</p><p id="s">s</p>
      <div style="container-type: inline-size"><p id="q">q</p></div>`,
    parts: ['#in', '#l', '#m', '#s', '#q']
  },
  {
    name: 'rules that a script changes',
    head: '<style id="st">#a { color: red } @media (min-width: 1px) { #d { color: red } }</style>',
    body: '<p id="a">a</p><p id="b">b</p><p id="c">c</p><p id="d">d</p>',
    after: `const { sheet } = document.querySelector('#st')
      sheet.insertRule('#b { color: rgb(2, 2, 2) }', 2)
      sheet.cssRules[0].style.setProperty('color', 'rgb(3, 3, 3)', 'important')
      sheet.cssRules[1].cssRules[0].style.color = 'rgb(5, 5, 5)'
      sheet.cssRules[1].cssRules[0].style.setProperty('padding', '5px')
      const other = document.createElement('style')
      document.head.append(other)
      other.sheet.insertRule('#c { color: rgb(4, 4, 4) }')`,
    parts: ['#a', '#b', '#c']
  },
  {
    name: 'a page of old rules',
    body: '<table><tr><td id="a" width="100" nowrap><font face="serif" color="red" id="b">old</font></td></tr></table>',
    parts: ['#a', '#b']
  }
]

const FILES = {
  '/screen.css': { type: 'text/css', body: '#a { color: rgb(1, 1, 1) }' },
  '/print.css': { type: 'text/css', body: '#a { display: none }' },
  '/late.css': { type: 'text/css', body: '#b { color: rgb(5, 6, 7); display: flex }' },
  '/pic.svg': { type: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150"/>' }
}

/** Expression for the look of an element in the document `d` of the window `w`. */
const lookOf = (part: string) => `(() => {
  let scope = d
  const names = ${JSON.stringify(part.split(' >> '))}
  for (const name of names.slice(0, -1)) scope = scope?.querySelector(name)?.shadowRoot
  const element = scope?.querySelector(names.at(-1))
  if (!element) return 'missing'
  const { x, y, width, height } = element.getBoundingClientRect()
  const { display, visibility, color, backgroundColor, fontSize, fontWeight, padding } = w.getComputedStyle(element)
  const box = [x, y, width, height].map(Math.round)
  const isModal = element.matches(':modal')
  return { box, display, visibility, color, backgroundColor, fontSize, fontWeight, padding, isModal }
})()`

const look = async (page: Page, part: string) => await page.evaluate(`((d, w) => ${lookOf(part)})(document, window)`)

t.test('a page – recorded by rrweb – looks the same to the viewer', { skip, timeout: 240_000 }, async (t) => {
  for (const { name, head = '', body, before = '', after = '', parts } of SAMPLES) {
    const context = await openBrowser(t, { viewport: { width: 1000, height: 700 } })
    const { members, pass, inFrame, page: viewing, complaints } = await openViewer(t, { context })
    const page = await openRecorded(t, context, head, body, FILES)
    await members(2)
    await page.evaluate(`{ ${before} }`)
    await page.evaluate('{ share() }')
    const follow = async () => await pass(...await page.evaluate<string[]>('events.splice(0)'))
    const compare = async (when: string) => {
      for (const part of parts) {
        const expected = await look(page, part)
        await eventually(async () => {
          await follow()
          return await inFrame(lookOf(part))
        }, expected, `${name}: ${part} ${when}`, 5000)
      }
    }
    await until(async () => {
      await follow()
      return await inFrame('d?.body?.childNodes.length > 0')
    }, `a picture of ${name}`)
    await compare('at first')
    await page.evaluate(`{ ${after} }`)
    await compare('after a change')
    t.strictSame(complaints, [], name)
    await page.close()
    await viewing.close()
  }
})
