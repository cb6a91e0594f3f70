import { verifySignature } from '../../../../lib/signing/verify.js'
import { freshId, hmac, putTogether, takeApart } from '../../../../lib/testing/conformance/forge.js'
import { SIGNING } from '../start-node.js'
import type { Parts } from '../../../../lib/testing/conformance/forge.js'
import type { BrokenNode, Defect } from '../start-node.js'

const SIGN = hmac(SIGNING.keys[0]?.secret ?? '')

/** Rewrites the client's signature into a better one. */
const takingFor = (better: (parts: Parts) => Parts): Required<Defect>['verify'] => (good) => async (signature, at) => {
  const parts = takeApart(signature)
  const improved = better(parts)
  return await good(improved === parts ? signature : putTogether(improved, SIGN), at)
}

const TYPES = ['cobrowse+jwt', 'cobrowse-join+jwt']

export const OF_SIGNATURES: Record<string, BrokenNode> = {
  'admits clients without a signature': {
    breaks: { 'signature-missing': /a client without a signature stays connected/ },
    verify: (good) => async (signature, at) => {
      if (signature !== '') return await good(signature, at)
      const issuedAt = Math.floor(at.now / 1000)
      return {
        tenant: 'guests',
        room: 'guests',
        user: 'guest',
        name: 'guest',
        role: 'replayer',
        node: at.node.id,
        incarnation: at.node.incarnation,
        joinOnly: false,
        issuedAt,
        expiresAt: issuedAt + 1,
        id: freshId()
      }
    }
  },
  'does not check the MAC': {
    breaks: {
      'join-only-checked': /a client with a bit of the MAC of a join-only signature flipped stays connected/,
      'signature-canonical': /a client with other spare bits in the MAC stays connected/,
      'signature-forged': /a client with a bit of the MAC flipped stays connected/,
      'signature-key': /a client with a key that nobody knows, under a known name stays connected/
    },
    verify: takingFor((parts) => ({ ...parts }))
  },
  'takes any algorithm': {
    breaks: { 'signature-algorithm': /a client with alg none and no MAC stays connected/ },
    verify: takingFor((parts) => parts.header.alg === 'HS256'
      ? parts
      : { ...parts, header: { ...parts.header, alg: 'HS256' } })
  },
  'takes any typ': {
    breaks: { 'signature-type': /a client with typ JWT stays connected/ },
    verify: takingFor((parts) => TYPES.includes(String(parts.header.typ))
      ? parts
      : { ...parts, header: { ...parts.header, typ: 'cobrowse+jwt' } })
  },
  'does not look at iss': {
    breaks: { 'signature-claims': /a client with another iss stays connected/ },
    verify: takingFor((parts) => parts.claims.iss === 'fastify-cobrowse'
      ? parts
      : { ...parts, claims: { ...parts.claims, iss: 'fastify-cobrowse' } })
  },
  'does not need a name': {
    breaks: { 'signature-claims': /a client without name stays connected/ },
    verify: takingFor((parts) => 'name' in parts.claims ? parts : { ...parts, claims: { ...parts.claims, name: 'x' } })
  },
  'takes its first key for an unknown one': {
    breaks: { 'signature-key': /a client with a key of an unknown name stays connected/ },
    verify: takingFor((parts) => parts.header.kid === 'unknown' || parts.header.kid === undefined
      ? { ...parts, header: { ...parts.header, kid: SIGNING.keys[0]?.id } }
      : parts)
  },
  'takes the key that the signature brings along': {
    breaks: { 'signature-key': /a client with a key in the header, under a known name stays connected/ },
    verify: takingFor((parts) => {
      const { jwk, ...header } = parts.header
      return jwk === undefined ? parts : { ...parts, header }
    })
  },
  'takes any of several nodes in aud': {
    breaks: { 'signature-audience': /a client with a list in aud stays connected/ },
    verify: takingFor((parts) => Array.isArray(parts.claims.aud)
      ? { ...parts, claims: { ...parts.claims, aud: parts.claims.aud[0] } }
      : parts)
  },
  'takes a signature that ends as it begins': {
    breaks: { 'signature-times': /a client whose signature ends as it begins stays connected/ },
    verify: takingFor((parts) => parts.claims.exp === parts.claims.iat
      ? { ...parts, claims: { ...parts.claims, exp: Number(parts.claims.iat) + 1 } }
      : parts)
  },
  'takes signatures of the next minute': {
    breaks: { 'signature-times': /a client whose signature begins in half a minute stays connected/ },
    verify: takingFor((parts) => {
      const [iat, now] = [Number(parts.claims.iat), Math.floor(Date.now() / 1000)]
      const isEarly = iat > now + SIGNING.skew && iat < now + 60 && Number(parts.claims.exp) - iat <= SIGNING.ttl
      return isEarly ? { ...parts, claims: { ...parts.claims, iat: now, exp: now + SIGNING.ttl } } : parts
    })
  },
  'does not look behind the third segment': {
    breaks: { 'signature-canonical': /a client with a fourth segment stays connected/ },
    verify: (good) => async (signature, at) => await good(signature.split('.').slice(0, 3).join('.'), at)
  },
  'takes claims in any Base64url': {
    breaks: { 'signature-canonical': /a client with other spare bits in the claims stays connected/ },
    verify: (good) => async (signature, at) => {
      const [, claims = ''] = signature.split('.')
      const canonical = Buffer.from(claims, 'base64url').toString('base64url')
      return await good(canonical === claims ? signature : putTogether(takeApart(signature), SIGN), at)
    }
  },
  'takes one typ for the other, each signature once': {
    breaks: { 'signature-type': /typ JWT.*typ of later days.*without a typ/ },
    verify: (good) => {
      const seen = new Set<unknown>()
      return async (signature, at) => {
        const { header, claims } = takeApart(signature)
        if (TYPES.includes(String(header.typ)) || seen.has(claims.jti)) return await good(signature, at)
        seen.add(claims.jti)
        return await good(putTogether({ header: { ...header, typ: 'cobrowse+jwt' }, claims }, SIGN), at)
      }
    }
  },
  'does not look at exp': {
    breaks: {
      'join-only-checked': /a client whose join-only signature ended an hour ago was closed with 4410/,
      'signature-expired': /a client whose signature ended one second more than the skew ago stays connected/
    },
    verify: (good) => async (signature, at) => {
      const exp = Number(takeApart(signature).claims.exp)
      const claims = await good(signature, { ...at, now: Math.min(at.now, exp * 1000 - 1) })
      return { ...claims, expiresAt: Math.max(exp, Math.ceil(at.now / 1000) + 5) }
    }
  },
  'lets signatures live for an hour': {
    breaks: {
      'join-only-checked': /a client whose join-only signature lives too long stays connected/,
      'signature-times': /a client whose signature lives longer than the ttl stays connected/
    },
    verify: () => async (signature, at) =>
      await verifySignature(signature, { ...SIGNING, ...at, ttl: 3600, acceptJoinOnly: true })
  },
  'allows for no skew': {
    breaks: {
      'signature-skew': /with 2 s of skew, a client whose signature had just ended was closed with 4401/
    },
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      if (claims.expiresAt * 1000 <= at.now) throw new TypeError('expired')
      return claims
    }
  },
  'does not look at aud': {
    breaks: {
      'lapse-old-signature': /a client with a signature for the old incarnation stays connected/,
      'order-old-signature': /a client with a signature for the old incarnation stays connected/,
      'signature-audience': /a client with another node in aud stays connected/,
      'signature-incarnation': /a client with an older incarnation in aud stays connected/
    },
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      if (header.typ !== 'cobrowse+jwt') return await good(signature, at)
      const [id = '', incarnation = ''] = String(claims.aud).split('/')
      return { ...await good(signature, { ...at, node: { id, incarnation } }), incarnation: at.node.incarnation }
    }
  },
  'accepts a signature twice': {
    breaks: {
      'join-only-open': /the second one with a join-only signature stays connected/,
      once: /the second one with a signature stays connected/,
      'once-at-once': /both stayed/,
      'once-left': /a client with a used signature, whose client has left, stays connected/,
      'once-skew': /a client with a used signature, 0\.2 s after its end, stays connected/
    },
    verify: (good) => async (signature, at) => ({ ...await good(signature, at), id: freshId() })
  },
  'knows no join-only signatures': {
    breaks: {
      'cut-join-only': /a page that came back was closed with 4401/,
      'cut-join-only-empty': /the recorder that came back was closed with 4401/,
      'join-only-first-second': /from the second of the start was closed/,
      'join-only-open': /a client with a join-only signature was closed with 4401/,
      'join-only-shut': /a client with a join-only signature for a room where nobody is was closed with 4401/
    },
    verify: () => async (signature, at) => await verifySignature(signature, { ...SIGNING, ...at })
  },
  'takes a join-only signature of its earlier process for a present one': {
    breaks: {
      'call-ended-reopened': /a client with a join-only signature from before stays connected/,
      'join-only-before': /names the process before stays connected/,
      'join-only-restarted': /a client with a used join-only signature stays connected/
    },
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      const issuedAt = Math.floor(at.now / 1000)
      return claims.joinOnly ? { ...claims, issuedAt, knownIncarnation: at.node.incarnation } : claims
    }
  },
  'opens a room for a join-only signature': {
    breaks: {
      'join-only-before': /names the process before stays connected/,
      'join-only-restarted': /a client with a used join-only signature stays connected/,
      'join-only-shut': /a client with a join-only signature for a room where nobody is stays connected/
    },
    verify: (good, membership) => async (signature, at) => {
      const claims = await good(signature, at)
      return { ...claims, joinOnly: claims.joinOnly && membership()?.valid() !== true }
    }
  }
}
