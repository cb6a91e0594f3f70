// The form itself: nothing here knows that it can be shared.
const form = document.querySelector('#application')
const thing = document.querySelector('#thing')
const things = document.querySelector('#things')

function count () {
  const sports = form.elements.sports.checked ? 15 : 0
  form.querySelector('#total').value = `${Number(form.elements.cover.value) + sports + things.children.length * 5} €`
}

function addThing () {
  if (thing.value.trim() === '') return thing.focus()
  const item = document.createElement('li')
  const remove = document.createElement('button')
  item.append(thing.value.trim(), remove)
  remove.type = 'button'
  remove.className = 'plain small'
  remove.textContent = 'Remove'
  remove.setAttribute('aria-label', `Remove ${thing.value.trim()}`)
  remove.addEventListener('click', () => {
    item.remove()
    count()
    thing.focus()
  })
  things.append(item)
  thing.value = ''
  count()
}

form.addEventListener('input', count)
form.querySelector('#add').addEventListener('click', addThing)
thing.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return
  event.preventDefault()
  addThing()
})
form.addEventListener('submit', (event) => {
  event.preventDefault()
  document.querySelector('#sent').textContent = 'Thank you: this is a demo, and nothing was sent.'
})
