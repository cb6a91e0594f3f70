/**
 * Nothing is fetched: styles may be inline, images and fonts in the data of the page. `script-src` is named, since
 * browsers print a remark about a violated default.
 */
const POLICY = "default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; " +
  "base-uri 'none'; form-action 'none'"

/** A violation is told at once, in a task of its own. */
const LIMIT_MS = 1000

/** Gives a frame its policy, which it keeps when its document is filled. */
export function addPolicy ({ contentDocument }: HTMLIFrameElement): void {
  const meta = document.createElement('meta')
  meta.httpEquiv = 'content-security-policy'
  meta.content = POLICY
  contentDocument?.head.append(meta)
}

/** @returns the reason why the content of the frame is not as safe, or not as visible, as it should be */
export async function findProblem (frame: HTMLIFrameElement): Promise<string | undefined> {
  if (!await isEnforced(frame)) {
    return 'this browser does not apply the content security policy of the picture: its styles may fetch from servers'
  }
  if (isStyled(frame)) return undefined
  return 'the content security policy of this page forbids the styles of the picture: ' +
    "its style-src must allow 'unsafe-inline'"
}

/**
 * A violation names the policy. The console shows nothing of a forbidden `eval`. Where that tells nothing, an image
 * does, under a scheme that no browser knows, so that nothing is ever fetched.
 */
async function isEnforced ({ contentDocument, contentWindow }: HTMLIFrameElement): Promise<boolean> {
  if (contentDocument === null) return true
  const probeByEval = () => { (contentWindow as unknown as typeof globalThis).Function('') }
  const probeByImage = () => { contentDocument.createElement('img').src = 'cobrowse-policy-probe:image' }
  return await isViolation(contentDocument, probeByEval) || await isViolation(contentDocument, probeByImage)
}

async function isViolation (inside: Document, probe: () => void): Promise<boolean> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => end(false), LIMIT_MS)
    const listener = ({ originalPolicy }: SecurityPolicyViolationEvent) => {
      if (originalPolicy === POLICY) end(true)
    }
    function end (isViolated: boolean): void {
      clearTimeout(timer)
      inside.removeEventListener('securitypolicyviolation', listener)
      resolve(isViolated)
    }
    inside.addEventListener('securitypolicyviolation', listener)
    try {
      probe()
    } catch {
      // Forbidden, as it should be.
    }
  })
}

function isStyled ({ contentDocument }: HTMLIFrameElement): boolean {
  if (contentDocument === null) return true
  const style = contentDocument.createElement('style')
  style.textContent = 'cobrowse-policy-probe {}'
  contentDocument.head.append(style)
  const isAllowed = style.sheet !== null
  style.remove()
  return isAllowed
}
