/** Shorter texts occur by chance. */
const MIN_LENGTH = 4
const HIDDEN = '***'
/** A signature or a token, or the beginning of one: each is JSON in Base64. */
const ENCODED_JSON = /\beyJ[\w.%+/=-]{8,}/g

/** Texts that must not be printed, whichever server repeats them. */
export interface Secrets {
  add (...texts: Array<string | undefined>): void
  /** Replaces each secret in a text. */
  hide (text: string): string
}

export function createSecrets (): Secrets {
  const known = new Set<string>()
  return {
    add (...texts) {
      for (const text of texts) if (text !== undefined && text.length >= MIN_LENGTH) known.add(text)
    },
    hide: (text) => [...known].sort((one, other) => other.length - one.length)
      .reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text).replace(ENCODED_JSON, HIDDEN)
  }
}

/** The password of a URL, as it is written there and as it is sent. */
export function passwordsOf ({ password }: URL): string[] {
  return [password, decode(password)]
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
