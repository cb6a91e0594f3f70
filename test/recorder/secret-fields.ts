import { FRAME, run, runUntilSnapshot, type, useFrame } from './private-part.js'
import type { PrivatePart } from './private-part.js'

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
/** Fields for passwords, cards and codes. */
export const SECRET_FIELDS: PrivatePart[] = [
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
  }
]
