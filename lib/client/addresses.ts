import type { Answer } from './ask.js'

/** Chooses which of the node's two addresses is opened. */
export interface Addresses {
  choose (answer: Answer): string
  /** The chosen address cannot be opened. @returns whether the other address is worth a try at once */
  fail (): boolean
  succeed (): void
}

/** Tries the preferred address, then the other one once if that fails, and keeps to an address that opened. */
export function createAddresses (preferred: 'wssUrl' | 'wssUrlOut'): Addresses {
  let chosen = preferred
  let hasOther = false
  let failures = 0
  return {
    choose ({ wssUrl, wssUrlOut }) {
      const [first, other] = chosen === 'wssUrl' ? [wssUrl, wssUrlOut] : [wssUrlOut, wssUrl]
      hasOther = other !== undefined && first !== undefined && first !== other
      return first ?? other ?? ''
    },
    fail () {
      chosen = chosen === 'wssUrl' ? 'wssUrlOut' : 'wssUrl'
      return hasOther && failures++ === 0
    },
    succeed () {
      failures = 0
    }
  }
}
