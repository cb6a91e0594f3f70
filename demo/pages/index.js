// The links lead to the room that was typed.
const room = document.querySelector('#room')

function update () {
  if (!room.checkValidity()) return
  for (const link of document.querySelectorAll('a[data-page]')) {
    link.href = `/demo/${link.dataset.page}?room=${encodeURIComponent(room.value)}`
  }
}

room.addEventListener('input', update)
document.querySelector('#room-form').addEventListener('submit', (event) => event.preventDefault())
update()
