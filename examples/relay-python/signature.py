"""Checks the signatures that clients show."""

import base64
import hmac
import json

from settings import KEYS, NODE_ID, SKEW, TTL
from web_socket import Refused

AUDIENCES = {'cobrowse+jwt': '{}/{}', 'cobrowse-join+jwt': '{}'}


def verify(signature, incarnation, now):
    """Returns the claims, with `joinOnly`. `now` is in milliseconds. Raises Refused."""
    try:
        check(len(signature) <= 4096, 'too long')
        head, payload, mac = map(decode, signature.split('.'))
        header = json.loads(head)
        check(header['alg'] == 'HS256' and 'crit' not in header, 'another algorithm, or a critical header')
        audience = AUDIENCES[header['typ']].format(NODE_ID, incarnation)
        signed = signature.rpartition('.')[0].encode()
        check(hmac.compare_digest(mac, hmac.digest(KEYS[header['kid']].encode(), signed, 'sha256')), 'wrong MAC')
        claims = json.loads(payload)
        check_claims(claims, audience, now / 1000)
        return claims | {'joinOnly': header['typ'] == 'cobrowse-join+jwt'}
    except Exception as error:  # Whatever a parser raises on the text of a client is the client's fault.
        raise Refused(4401, repr(error)) from None


def check_claims(claims, audience, now):
    check(claims['iss'] == 'fastify-cobrowse', 'another issuer')
    check(claims['aud'] == audience, 'for another node or incarnation')
    for name in ('tenant', 'room', 'sub', 'name', 'jti'):
        check(isinstance(claims[name], str) and claims[name], f'no {name}')
    check(claims['role'] in ('recorder', 'replayer'), 'unknown role')
    iat, exp = claims['iat'], claims['exp']
    check(type(iat) is int and type(exp) is int, 'times are not whole numbers')
    check(0 < exp - iat <= TTL, 'lives too long')
    check(iat <= now + SKEW and exp > now - SKEW, 'not yet valid, or expired')


def decode(segment):
    data = base64.urlsafe_b64decode(segment + '=' * (-len(segment) % 4))
    # Python skips characters that are not Base64: only the way back shows whether the text is canonical.
    check(segment and base64.urlsafe_b64encode(data).decode().rstrip('=') == segment, 'not canonical Base64url')
    return data


def check(is_good, reason):
    if not is_good:
        raise ValueError(reason)
