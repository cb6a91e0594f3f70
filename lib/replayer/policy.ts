// Reads the content security policy of this page, which the frame of the picture inherits.

/** Kinds of content that styles of the shown page could fetch. */
const FETCHED: Record<string, { words: string, directives: readonly string[] }> = {
  images: { words: 'images (img-src)', directives: ['img-src', 'default-src'] },
  fonts: { words: 'fonts (font-src)', directives: ['font-src', 'default-src'] },
  styles: { words: 'style sheets (style-src)', directives: ['style-src-elem', 'style-src', 'default-src'] }
}
const INLINE = [['style-src-elem', 'style-src', 'default-src'], ['style-src-attr', 'style-src', 'default-src']]

/** Sources without a server. */
const LOCAL = /^(?:'none'|'unsafe-inline'|'unsafe-hashes'|'report-sample'|'nonce-.*'|'sha\d+-.*'|data:|blob:)$/i
/** With one of these, `'unsafe-inline'` has no effect. */
const STRICT = /^'(?:nonce|sha\d+)-/i

const SEE = 'See "Content security policies" in docs/browser.md.'
const LIMIT_MS = 2000

type Policy = Map<string, string[]>

function readPolicy (text: string): Policy {
  const policy: Policy = new Map()
  for (const directive of text.split(';')) {
    const [name = '', ...sources] = directive.trim().split(/\s+/)
    // Of a directive that is repeated, browsers use the first.
    if (name !== '' && !policy.has(name.toLowerCase())) policy.set(name.toLowerCase(), sources)
  }
  return policy
}

function sourcesOf (policy: Policy, directives: readonly string[]): string[] | undefined {
  const name = directives.find((it) => policy.has(it))
  return name === undefined ? undefined : policy.get(name)
}

/** @returns the reason why these policies of one page do not suffice */
export function findProblem (texts: Iterable<string>): string | undefined {
  const policies = [...texts].map(readPolicy)
  const open = Object.values(FETCHED).filter(({ directives }) =>
    !policies.some((policy) => sourcesOf(policy, directives)?.every((it) => LOCAL.test(it))))
  if (open.length > 0) {
    const words = open.map((it) => it.words).join(', ')
    return `the policy of this page allows the page that is shown to fetch ${words}. ${SEE}`
  }
  const isStyled = policies.every((policy) =>
    INLINE.every((directives) => allowsInline(sourcesOf(policy, directives))))
  if (isStyled) return undefined
  return `the policy of this page forbids the styles of the page that is shown (style-src). ${SEE}`
}

function allowsInline (sources: string[] | undefined): boolean {
  return sources === undefined ||
    (sources.some((it) => it.toLowerCase() === "'unsafe-inline'") && !sources.some((it) => STRICT.test(it)))
}

/**
 * A page cannot read its policy, but a violation names the whole of it. The first probe breaks a rule that most
 * policies have, and the browser's console shows nothing. The second one, which the console shows, is for pages that
 * seem to have no sufficient policy: an image, a style sheet and a font under a scheme that no browser knows, so that
 * without a policy nothing is fetched, either.
 *
 * @param tell called with the reason if the policy does not suffice
 */
export async function checkPolicy (tell: (problem: string) => void): Promise<void> {
  const texts = new Set(metaPolicies())
  const listener = ({ originalPolicy, disposition }: SecurityPolicyViolationEvent) => {
    if (disposition === 'enforce') texts.add(originalPolicy)
  }
  document.addEventListener('securitypolicyviolation', listener)
  await violateByEval()
  if (findProblem(texts) !== undefined) await violateByLoads()
  document.removeEventListener('securitypolicyviolation', listener)
  const problem = findProblem(texts)
  if (problem !== undefined) tell(problem)
}

function metaPolicies (): string[] {
  const elements = document.querySelectorAll('head > meta[http-equiv="content-security-policy" i]')
  return [...elements].map((element) => element.getAttribute('content') ?? '')
}

async function violateByEval (): Promise<void> {
  try {
    // eslint-disable-next-line no-new, no-new-func -- the text is empty, and the policy is to forbid it
    new Function('')
  } catch {
    await nextViolation()
  }
}

async function nextViolation (): Promise<void> {
  let listener = () => {}
  await inTime((done) => {
    listener = done
    document.addEventListener('securitypolicyviolation', listener)
  })
  document.removeEventListener('securitypolicyviolation', listener)
}

async function violateByLoads (): Promise<void> {
  const address = (name: string) => `cobrowse-policy-probe:${name}`
  const image = document.createElement('img')
  const sheet = document.createElement('link')
  sheet.setAttribute('rel', 'stylesheet')
  const font = new FontFace('cobrowse-policy-probe', `url(${address('font')})`)
  document.head.append(sheet)
  await Promise.all([
    load(image, 'src', address('image')),
    load(sheet, 'href', address('style')),
    inTime((done) => { font.load().then(done, done) })
  ])
  sheet.remove()
}

async function load (element: HTMLElement, name: string, address: string): Promise<void> {
  await inTime((done) => {
    element.addEventListener('error', done)
    element.setAttribute(name, address)
  })
}

/** Violations are told in tasks of their own, before the end of a load. */
async function inTime (start: (done: () => void) => void): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS)
    start(resolve)
  })
  clearTimeout(timer)
}
