"""Signatures of private requests, as pure functions of the exact bytes that are sent. Secrets are base64 text.

Each raises ValueError for a secret that is no base64; the error does not quote it.
"""

import base64
import hashlib
import hmac


def decoded(secret: str) -> bytes:
    """The bytes of a Kraken secret: standard base64 with its padding."""
    try:
        return base64.b64decode(secret, validate=True)
    except ValueError:
        raise ValueError("is no whole base64 text: copy it again, to its last = sign") from None


def decoded_urlsafe(secret: str) -> bytes:
    """The bytes of a Polymarket secret: either base64 alphabet, with or without padding, like the venue's own clients."""
    text = secret.translate(str.maketrans("-_", "+/"))
    return decoded(text if text.endswith("=") else text + "=" * (-len(text) % 4))


def spot_signature(secret: str, path: str, nonce: int, body: bytes) -> str:
    """Kraken Spot's `API-Sign` for a POST of `body` to `path` (from `/0/private/`); `body` contains the same nonce."""
    message = path.encode() + hashlib.sha256(str(nonce).encode() + body).digest()
    return _kraken(secret, message)


def futures_signature(secret: str, path: str, data: str = "", nonce: str = "") -> str:
    """Kraken Futures' `Authent`; `data` is the query of a GET or the body of a POST, encoded as sent.

    The nonce may be left out. A leading `/derivatives` of `path` is not signed; `/api/auth/..` is signed whole. The
    websocket's challenge is signed as `data` with an empty path.
    """
    message = data + nonce + path.removeprefix("/derivatives")
    return _kraken(secret, hashlib.sha256(message.encode()).digest())


def polymarket_signature(secret: str, timestamp_s: int, method: str, path: str, body: str = "") -> str:
    """Polymarket's `POLY_SIGNATURE` (L2) at `timestamp_s` (UTC seconds); a query in `path` is not signed."""
    message = f"{timestamp_s}{method}{path.partition('?')[0]}{body}"
    digest = hmac.digest(decoded_urlsafe(secret), message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()


def _kraken(secret: str, message: bytes) -> str:
    return base64.b64encode(hmac.digest(decoded(secret), message, hashlib.sha512)).decode()
