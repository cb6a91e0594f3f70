import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import { snapshotsIn } from './lab.js'
import type { LabPage, Shared } from './lab.js'

/** A part of a page that must not leave it. Its texts begin with `stays`. */
export interface PrivatePart {
  /** Title of the test: subject – condition. */
  title: string
  page: LabPage
  /** Runs in the page before it is shared. */
  before?: string
  /** Options of the recorder, as an expression of the page. */
  recorder?: string
  act? (shared: Shared): Promise<void>
  /** Texts of open parts, which must be on the wire. */
  seen?: string[]
}

const type = async ({ page }: Shared, field: string, text: string) => await page.locator(field).pressSequentially(text)
const run = async ({ page }: Shared, script: string) => { await page.evaluate(`{ ${script} }`) }
/** The page is sent again after its marks changed. */
const runUntilSnapshot = async (shared: Shared, script: string) => {
  const count = snapshotsIn(shared.sent)
  await run(shared, script)
  await until(() => snapshotsIn(shared.sent) > count, 'a snapshot with the new marks')
}

const EYE = `document.querySelector('#eye').onclick = () => {
  const field = document.querySelector('#field')
  field.type = field.type === 'password' ? 'text' : 'password'
}`
const EYE_IN_SHADOW = `{
  const root = document.querySelector('#host').attachShadow({ mode: 'open' })
  root.innerHTML = '<input id="field" type="password"><button id="eye">eye</button><input id="free"><p id="live"></p>'
  root.querySelector('#eye').onclick = () => {
    const field = root.querySelector('#field')
    field.type = field.type === 'password' ? 'text' : 'password'
  }
}`
const FRAME = '<iframe id="frame" src="/lab/inner" width="500" height="200"></iframe>'

/** Changes everything inside of a frame. */
async function useFrame (shared: Shared, tag: string): Promise<void> {
  const frame = shared.page.frameLocator('#frame')
  await frame.locator('#free').pressSequentially(`${tag}-typed`)
  await frame.locator('body').evaluate(`document.querySelector('#live').textContent = '${tag}-text'`)
  await frame.locator('body').evaluate(`document.body.append('${tag}-added')`)
}

export const OTHER_PAGES: Record<string, string> = {
  inner: `<!doctype html><title>inner</title><p id="text">frame-text</p><input id="free"><p id="live">live</p>
<input id="field" type="password"><p data-private>stays-in-frame</p>`,
  'inner-private': '<!doctype html><title>inner</title><p>stays-text</p><input id="free"><p id="live">live</p>'
}

export const PRIVATE_PARTS: PrivatePart[] = [
  {
    title: 'a password – typed, pasted, or set by a script',
    page: { body: '<input id="field" type="password" value="stays-attribute"><input id="odd" type="PassWord" value="stays-odd">' },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await shared.page.fill('#field', 'stays-pasted')
      await run(shared, "document.querySelector('#field').value = 'stays-script'")
      await run(shared, "document.querySelector('#field').setAttribute('value', 'stays-later')")
      await run(shared, "document.querySelector('#odd').value = 'stays-script'")
    }
  },
  {
    title: 'a password – shown by its eye while the page is shared',
    page: { body: '<input id="field" type="password"><button id="eye">eye</button>', script: EYE },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await shared.page.click('#eye')
      await type(shared, '#field', 'stays-shown')
      await run(shared, "document.querySelector('#field').removeAttribute('autocomplete')")
    }
  },
  {
    title: 'a password – shown by its eye before the page is shared',
    page: { body: '<input id="field" type="password"><button id="eye">eye</button>', script: EYE },
    before: `{
      document.querySelector('#field').value = 'stays-before'
      document.querySelector('#eye').click()
    }`,
    act: async (shared) => await type(shared, '#field', 'stays-shown')
  },
  {
    title: 'a text – in a field that becomes one for a password',
    page: { body: '<input id="field" value="open-at-first">' },
    async act (shared) {
      await runUntilSnapshot(shared, "document.querySelector('#field').type = 'password'")
      await type(shared, '#field', 'stays-typed')
    },
    seen: ['open-at-first']
  },
  {
    title: 'a password in a shadow root – shown before and while the page is shared',
    page: { body: '<div id="host"></div>', script: EYE_IN_SHADOW },
    before: `{
      const field = document.querySelector('#host').shadowRoot.querySelector('#field')
      field.value = 'stays-before'
      field.dispatchEvent(new Event('input', { bubbles: true, composed: true }))
      document.querySelector('#host').shadowRoot.querySelector('#eye').click()
    }`,
    async act (shared) {
      await type(shared, '#field', 'stays-shown')
      await shared.page.locator('#eye').click()
      await type(shared, '#field', 'stays-hidden')
      await type(shared, '#free', 'open-typed')
      await run(shared, "document.querySelector('#host').shadowRoot.querySelector('#live').textContent = 'open-live'")
    },
    seen: ['open-typed', 'open-live']
  },
  {
    title: 'a password in a custom element – defined after its use, and shown before the page is shared',
    page: {
      body: '<my-password></my-password>',
      script: `setTimeout(() => customElements.define('my-password', class extends HTMLElement {
        constructor () {
          super()
          this.attachShadow({ mode: 'open' }).innerHTML = '<input id="field" type="password" value="stays-initial">'
        }
      }))`
    },
    before: `(async () => {
      await customElements.whenDefined('my-password')
      await new Promise((resolve) => setTimeout(resolve))
      document.querySelector('my-password').shadowRoot.querySelector('#field').type = 'text'
    })()`,
    act: async (shared) => await type(shared, '#field', 'stays-shown')
  },
  {
    title: 'a password in a frame of the same origin – typed, and shown before the page is shared',
    page: { body: FRAME },
    before: `new Promise((resolve) => {
      const frame = document.querySelector('#frame')
      const show = () => {
        const field = frame.contentDocument.querySelector('#field')
        field.value = 'stays-before'
        setTimeout(() => resolve(field.type = 'text'))
      }
      if (frame.contentDocument.querySelector('#field')) show()
      else frame.addEventListener('load', show)
    })`,
    async act (shared) {
      await shared.page.frameLocator('#frame').locator('#field').pressSequentially('stays-typed')
      await useFrame(shared, 'open')
    },
    seen: ['frame-text', 'open-typed', 'open-text', 'open-added']
  },
  {
    title: 'a password – its field replaced by another one that shows it',
    page: {
      body: '<input id="field" type="password"><p><input id="filled" type="password"></p><button id="eye">eye</button>',
      script: `document.querySelector('#filled').value = 'stays-filled'
      document.querySelector('#eye').onclick = () => {
        for (const id of ['field', 'filled']) {
          const field = document.querySelector('#' + id)
          const shown = document.createElement('input')
          shown.id = id
          shown.value = field.value
          field.replaceWith(shown)
        }
      }`
    },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await shared.page.click('#eye')
      await type(shared, '#field', 'stays-shown')
    }
  },
  {
    title: 'a password – a second field shows it',
    page: {
      body: '<input id="field" type="password"><input id="twin"><p id="count"></p>',
      script: `document.querySelector('#field').oninput = ({ target }) => {
        document.querySelector('#twin').value = target.value
        document.querySelector('#count').textContent = 'count-' + target.value.length
      }`
    },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await type(shared, '#twin', '-stays-shown')
    },
    seen: ['count-11']
  },
  {
    title: 'a password – hidden by a style instead of a type',
    page: {
      head: '<style>.dots { -webkit-text-security: disc }</style>',
      body: '<input id="field" class="dots" value="stays-initial"><textarea id="area" class="dots">stays-area</textarea>'
    },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await run(shared, "document.querySelector('#field').className = ''")
      await type(shared, '#field', 'stays-shown')
      await type(shared, '#area', 'stays-typed')
    }
  },
  {
    title: 'a card number and a code – named by autocomplete',
    page: {
      body: `<input id="card" autocomplete="cc-number"><input id="csc" autocomplete="section-a billing cc-csc">
        <select id="month" autocomplete="cc-exp-month"><option>stays-01</option><option>stays-02</option></select>
        <input id="code" autocomplete="one-time-code"><input id="now" autocomplete="current-password">
        <input id="next" autocomplete="new-password"><input id="name" autocomplete="name">`
    },
    async act (shared) {
      for (const field of ['#card', '#csc', '#code', '#now', '#next']) await type(shared, field, 'stays-4111222233334444')
      await shared.page.selectOption('#month', 'stays-02')
      await run(shared, "document.querySelector('#code').removeAttribute('autocomplete')")
      await type(shared, '#code', 'stays-4711')
      await type(shared, '#name', 'open-name')
    },
    seen: ['open-name']
  },
  {
    title: 'a part with data-private – its texts, fields and changes',
    page: {
      body: `<div data-private><p id="text">stays-text</p>
        <input id="field" value="stays-value" placeholder="stays-placeholder">
        <div id="editable" contenteditable>stays-editable</div><img alt="stays-alt" title="stays-title"></div>
        <div id="host" data-private><p>stays-slotted</p></div>`,
      script: `document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML =
        '<slot></slot><p id="deep">stays-deep</p><input id="deepest">'`
    },
    async act (shared) {
      await type(shared, '#field', 'stays-typed')
      await type(shared, '#editable', 'stays-typed')
      await type(shared, '#deepest', 'stays-typed')
      await run(shared, `const root = document.querySelector('#host').shadowRoot
        root.querySelector('#deep').textContent = 'stays-changed'
        root.querySelector('#deep').title = 'stays-title'
        root.append('stays-added')
        document.querySelector('#text').textContent = 'stays-changed'
        document.querySelector('#text').append(document.createElement('b'), 'stays-added')`)
    }
  },
  {
    title: 'a part with data-private – added, moved or marked while the page is shared',
    page: {
      body: '<div id="private" data-private></div><p id="moved">open-moved</p><p id="marked">open-marked</p><div id="later"></div>',
      script: "document.querySelector('#later').attachShadow({ mode: 'open' }).innerHTML = '<p id=\"deep\">open-deep</p>'"
    },
    async act (shared) {
      await run(shared, `document.body.insertAdjacentHTML('afterbegin', '<p id="added" data-private>stays-added</p>')
        document.querySelector('#private').append(document.querySelector('#moved'))
        document.querySelector('#marked').dataset.private = ''
        document.querySelector('#later').dataset.private = ''
        document.querySelector('#marked').textContent = 'stays-at-once'
        setTimeout(() => {
          for (const id of ['added', 'moved', 'marked']) document.querySelector('#' + id).textContent = 'stays-changed'
          document.querySelector('#later').shadowRoot.querySelector('#deep').textContent = 'stays-deep'
        })`)
      await elapse(700, 'time for a snapshot with the new marks')
      await run(shared, `
        for (const id of ['added', 'moved', 'marked']) document.querySelector('#' + id).textContent = 'stays-again'
        document.querySelector('#later').shadowRoot.querySelector('#deep').append('stays-again')`)
    },
    seen: ['open-moved', 'open-marked', 'open-deep']
  },
  {
    title: 'a part that is private no more – unmarked, or moved out',
    page: { body: '<div id="part" data-private><p id="text">open-later</p><p id="moved">open-moved</p></div><div id="open-part"></div>' },
    async act (shared) {
      await run(shared, "document.querySelector('#open-part').append(document.querySelector('#moved'))")
      await runUntilSnapshot(shared, "delete document.querySelector('#part').dataset.private")
    },
    seen: ['open-later', 'open-moved']
  },
  {
    title: 'a part that the selector of the integrator names – also later, and by a class around it',
    page: { body: '<p class="account">stays-number</p><div id="list"><p class="row">open-row</p></div><p id="later">open-later</p>' },
    recorder: "{ private: '.account, .secret .row' }",
    async act (shared) {
      await runUntilSnapshot(shared, "document.querySelector('#later').className = 'account'")
      await run(shared, "document.querySelector('#later').textContent = 'stays-later'")
      await runUntilSnapshot(shared, "document.querySelector('#list').className = 'secret'")
      await run(shared, "document.querySelector('.row').textContent = 'stays-row'")
    },
    seen: ['open-row', 'open-later']
  },
  ...[`<div data-private>${FRAME}</div>`, FRAME.replace('id=', 'data-private id=')].map((body, place) => ({
    title: `a frame of the same origin – ${place === 0 ? 'inside of a private part' : 'private itself'}`,
    page: { body: body.replace('/inner', '/inner-private') },
    async act (shared: Shared) {
      await useFrame(shared, 'stays')
      await shared.join()
      await useFrame(shared, 'stays-again')
      await run(shared, "document.querySelector('#frame').src += '?2'")
      await until(() => shared.page.frames().some((frame) => frame.url().endsWith('?2')), 'the frame to navigate')
      await useFrame(shared, 'stays-navigated')
    }
  })),
  ...['#box', '#frame'].map((target) => ({
    title: `a frame of the same origin – ${target === '#box' ? 'the part around it' : 'the frame itself'} marked later`,
    page: { body: `<div id="box">${FRAME}</div>` },
    async act (shared: Shared) {
      await useFrame(shared, 'open')
      await until(() => shared.wire().includes('open-added'), 'the changes before')
      await runUntilSnapshot(shared, `document.querySelector('${target}').dataset.private = ''`)
      await useFrame(shared, 'stays')
      await shared.join()
      await useFrame(shared, 'stays-again')
    },
    seen: ['frame-text', 'open-typed']
  })),
  {
    title: 'a frame of the same origin – added to a private part',
    page: { body: '<div id="box" data-private></div>' },
    async act (shared) {
      await run(shared, `document.querySelector('#box').innerHTML = '${FRAME.replace('/inner', '/inner-private')}'`)
      await useFrame(shared, 'stays')
    }
  },
  {
    title: 'a pointer – above a private part, such as a keypad for a code',
    page: {
      body: `<div id="keypad" data-private style="width: 300px; height: 300px"><button>7</button></div>
        <button id="other">other</button>`
    },
    async act (shared) {
      const { mouse } = shared.page
      await shared.page.click('#other')
      for (const place of [30, 60, 90]) await mouse.click(place, place)
      await shared.page.click('#other')
      await until(() => shared.wire().includes('"positions"'), 'moves of the pointer')
      await elapse(600, 'time for the moves of half a second')
      const points = [...shared.wire().matchAll(/"x":(\d+),"y":(\d+)/g)].map(([, x, y]) => [Number(x), Number(y)])
      const inside = points.filter(([x = 0, y = 0]) => x > 20 && x < 100 && y > 20 && y < 300)
      if (inside.length > 0) throw new Error(`stays: ${JSON.stringify(inside)}`)
    },
    seen: ['"source":2,"type":2']
  },
  {
    title: 'a hidden field – of any form, set at any time',
    page: { body: '<form><input id="token" type="hidden" name="csrf" value="stays-token"><input id="name" value="open-name"></form>' },
    async act (shared) {
      await run(shared, `const token = document.querySelector('#token')
        token.value = 'stays-script'
        token.setAttribute('value', 'stays-attribute')
        token.dispatchEvent(new Event('change', { bubbles: true }))
        document.querySelector('form').insertAdjacentHTML('beforeend', '<input type="hidden" value="stays-added">')`)
    },
    seen: ['open-name']
  },
  {
    title: 'comments, scripts, templates and noscript – at first and after a change',
    page: {
      head: '<meta name="csrf-token" content="stays-meta"><script>window.it = "stays-code"</script>',
      body: `<!-- stays-comment -->
        <script type="application/json" id="state" data-it="stays-data">{"token":"stays-json"}</script>
        <template><p>stays-template</p></template><noscript id="none">stays-noscript</noscript>`
    },
    async act (shared) {
      await run(shared, `document.querySelector('#state').firstChild.data = '{"token":"stays-json-later"}'
        document.querySelector('#state').append('stays-added')
        document.querySelector('#state').setAttribute('src', 'stays-src')
        document.querySelector('#none').textContent = 'stays-noscript-later'
        document.querySelector('meta[name]').content = 'stays-meta-later'
        const comment = document.createComment('stays-new-comment')
        document.body.append(comment)
        setTimeout(() => { comment.data = 'stays-comment-later' })
        document.head.insertAdjacentHTML('beforeend', '<meta name="token" content="stays-new-meta">')`)
    }
  },
  {
    title: 'query and fragment of an address – in links, images, forms, frames and styles',
    page: {
      head: `<link rel="canonical" href="https://site.example/?stays=link"><style>
        @import "https://site.example/x.css?stays=import"; #a { background: url("/open-picture.png?stays=sheet") }</style>`,
      body: `<a id="link" href="/open-path?stays=query#stays-fragment">link</a>
        <a href="https://stays:stays@site.example/">user</a>
        <a href="javascript:run('stays')">run</a><a href="#part" download>part</a><a href="data:text/csv,stays">csv</a>
        <img src="/open-image.png?stays=1" srcset="/a.png?stays=1 1x, /b.png?stays=2 2x" alt="">
        <form action="/form?stays=1"><button formaction="/button?stays=1">go</button></form>
        <iframe src="http://localhost:9/?stays=frame"></iframe><object data="/object?stays=1"></object>
        <div id="a" style="background-image: url('/open-inline.png?stays=1#x')" data-url="/api?stays=1"></div>
        <svg><linearGradient id="open-gradient"></linearGradient><rect fill="url(#open-gradient)"></rect>
        <linearGradient id="copy" href="#open-gradient"></linearGradient>
        <a href="/svg?stays=1"><text>svg</text></a></svg>`
    },
    async act (shared) {
      await run(shared, `history.replaceState({}, '', '?stays=page#stays-page')
        document.querySelector('#link').href = '/open-later?stays=later#stays'
        document.querySelector('#a').style.backgroundImage = 'url("/open-later.png?stays=1")'
        document.querySelector('#a').style.setProperty('--picture', 'url(/p.png?stays=1)')
        document.querySelector('style').sheet.insertRule('#b { background: url(/rule.png?stays=1) }', 1)
        document.querySelector('style').sheet.cssRules[1].style.setProperty('background', 'url(/set.png?stays=1)')
        const sheet = new CSSStyleSheet()
        sheet.replaceSync('#c { background: url(/adopted.png?stays=1) }')
        document.adoptedStyleSheets = [sheet]
        sheet.insertRule('#d { background: url("/adopted-later.png?stays=1") }')
        document.body.insertAdjacentHTML('beforeend', '<img srcset="/c.png?stays=1 1x">')
        document.body.insertAdjacentHTML('beforeend', '<style>#e { background: url(/e.png?stays=1) }</style>')`)
    },
    seen: [
      '/open-path', 'open-picture.png', 'open-image.png', 'open-inline.png', '"href":"#open-gradient"', 'open-later.png',
      'adopted-later.png'
    ]
  },
  {
    title: 'code, and data for code – in attributes',
    page: {
      body: `<p onclick="run('stays')" data-csrf-token="stays-token" hx-headers='{"X": "stays"}'
        x-data="{ it: 'stays' }" data-page='{"props":{"it":"stays-json"}}' data-blob="${'stays'.repeat(30)}"
        data-state="open-state" class="open-class">text</p>
        <iframe srcdoc="<p>open-in-frame</p><input type=password value=stays>"></iframe>`
    },
    async act (shared) {
      await run(shared, "document.querySelector('p').setAttribute('data-session', 'stays-session')")
      await run(shared, "document.querySelector('p').setAttribute('data-page', '[\"stays-page\"]')")
      await until(() => shared.wire().includes('open-in-frame'), 'the frame')
    },
    seen: ['open-state', 'open-class']
  }
]
