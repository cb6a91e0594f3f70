import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import { FRAME, run, runUntilSnapshot, type, useFrame } from './private-part.js'
import { SECRET_FIELDS } from './secret-fields.js'
import type { Shared } from './lab.js'
import type { PrivatePart } from './private-part.js'

export const OTHER_PAGES: Record<string, string> = {
  inner: `<!doctype html><title>inner</title><p id="text">frame-text</p><input id="free"><p id="live">live</p>
<input id="field" type="password"><p data-private>stays-in-frame</p>`,
  'inner-private': '<!doctype html><title>inner</title><p>stays-text</p><input id="free"><p id="live">live</p>'
}

/** All that never leaves a page. */
export const PRIVATE_PARTS: PrivatePart[] = [
  ...SECRET_FIELDS,
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
