import type { IndicatorOptions, IndicatorWords, Recorder } from '../../types/recorder.js'

type Words = { [N in keyof IndicatorWords]-?: NonNullable<IndicatorWords[N]> }

const WORDS: Words = {
  sharing: 'You are sharing this page.',
  waiting: 'No one is watching.',
  standby: 'Another tab of yours is the one that is seen.',
  paused: 'Sharing is paused.',
  watching: (names) => `Watching: ${names.join(', ')}`,
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop sharing'
}

/**
 * Makes an element that names the viewers, with buttons to pause and to stop. Viewers do not see it. Append it to the
 * page and give its class `cobrowse-indicator` a look; it is removed when the recorder stops.
 */
export function createIndicator (recorder: Recorder, { words = {}, onStop }: IndicatorOptions = {}): HTMLElement {
  const used: Words = { ...WORDS, ...words as Partial<Words> }
  const root = document.createElement('section')
  root.className = 'cobrowse-indicator'
  root.setAttribute('data-private', '')
  root.setAttribute('aria-label', used.sharing)
  const title = document.createElement('strong')
  title.textContent = used.sharing
  const status = document.createElement('span')
  status.setAttribute('role', 'status')
  const pause = createButton(() => recorder.state === 'paused' ? recorder.resume() : recorder.pause())
  const stop = createButton(() => {
    recorder.stop()
    onStop?.()
  })
  stop.textContent = used.stop
  root.append(title, ' ', status, ' ', pause, ' ', stop)

  function tell (): void {
    const { state, watchers } = recorder
    status.textContent = state === 'watched' ? used.watching(watchers) : state === 'stopped' ? '' : used[state]
    pause.textContent = state === 'paused' ? used.resume : used.pause
    if (state === 'stopped') root.remove()
  }

  recorder.on('state', tell)
  recorder.on('watchers', tell)
  tell()
  return root
}

function createButton (onClick: () => void): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.addEventListener('click', onClick)
  return button
}
