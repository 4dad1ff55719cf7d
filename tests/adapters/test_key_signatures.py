"""Signatures give what the venues and their clients published, and no secret shows in an error."""

import base64
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.keys.signatures import decoded, decoded_urlsafe, futures_signature, polymarket_signature, spot_signature

OFFICIAL_SPOT = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
OFFICIAL_FUTURES = "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
KIT = "cHl0aG9uLWtyYWtlbi1zZGsgdW5pdC10ZXN0IHNlY3JldCB2YWx1ZQ=="
NONCE = 1616492376594
ORDER = "ordertype=limit&pair=XBTUSD"

SPOT = (
    (
        OFFICIAL_SPOT,
        "/0/private/AddOrder",
        f"nonce={NONCE}&{ORDER}&price=37500&type=buy&volume=1.25",
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
    ),
    (
        KIT,
        "/0/private/AddOrder",
        f"nonce={NONCE}&{ORDER}",
        "Fo+0Uhanvs3F1byZFCjVBMLsCcRE2xLQMDpoA3Q9hawoZ0ZL35AmbknAQBlOIs4baRx9UGhzQH+/CTl9qnyp1w==",
    ),
    (
        OFFICIAL_SPOT,
        "/0/private/GetApiKeyInfo",
        f"nonce={NONCE}",
        "0hXh9q5/fK8xgzNfiExbUyhEvsv1gAYGgL/5PWy8Xo8kFGhpI/ZwAnHB1eC0SYtlYiywFcypDRuBP/GjHp+ojA==",
    ),
    (
        OFFICIAL_SPOT,
        "/0/private/Balance",
        f"nonce={NONCE}",
        "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg==",
    ),
)
"""Secret, path, body, signature: Kraken's documents, the unit test of python-kraken-sdk, and two computed by the same rule."""

CHALLENGE = "c100b894-1729-464d-ace1-52dbce11db42"
FUTURES = (
    (
        OFFICIAL_FUTURES,
        "",
        CHALLENGE,
        "",
        "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A==",
    ),
    (
        KIT,
        "/derivatives/api/v3/sendorder",
        "orderType=lmt&symbol=PI_XBTUSD",
        "1616492376594",
        "Txi+gJVXe3EN1brXYQ46FuV6UVtEVSKhc6dYMhPb7a/HXZLGvO6m9UUg+KVKqhLxrbllOPI7qRkHYmPfJZZSGA==",
    ),
    (
        OFFICIAL_FUTURES,
        "/derivatives/api/v3/accounts",
        "",
        "",
        "gF9iu/gh5ia5pNW4Ljh2bVCMh+kDiJcge73pOkpBG+c5eJUmWgHY0zMkMXkvOHb9RnCWKKfzg6lCzyYYI95+Jg==",
    ),
    (
        OFFICIAL_FUTURES,
        "/derivatives/api/v3/accounts",
        "",
        "1415957147987",
        "ar47HmgHaRy9Sx4pgny8d0JvjsPmPE1vDPwEb2c+42WPpLtRI4xcLAppaweKMoTpyJQxYZEPqCM5LK5SDaPdBA==",
    ),
    (
        OFFICIAL_FUTURES,
        "/api/auth/v1/api-keys/v3/check",
        "",
        "",
        "uq2bRXfZd3Flh/pEj4SLiT9pjBgyXE15ufUW5ZzTesIPK+L0uXNf0q1VJyNy26wJ0Li/VAXboGUUh5WIJ3oKzQ==",
    ),
    (
        OFFICIAL_FUTURES,
        "/api/auth/v1/api-keys/v3/check",
        "",
        "1415957147987",
        "BMBKg2+995xnZYQqVNj7feAbUv8+5jZeEhygd2VCVdqq5i5UdzF3O+0tiYN21nkjTUb6S865YFoc2XfC0Tbcgw==",
    ),
    (
        OFFICIAL_FUTURES,
        "/derivatives/api/v3/fills",
        "lastFillTime=2026-01-01T00%3A00%3A00.000Z",
        "1415957147987",
        "yOlGE41HeED+0SJyEgz7D4A90rDG3QEkMkYII7qEjJgUAReN6ajNmByFN95GQJlJ1eN3bLODQRfCI2kN9FO+OA==",
    ),
)
"""Secret, path, data, nonce, signature: Kraken's websocket challenge, python-kraken-sdk, and five computed by the same rule."""

HASH_BODY = '{"hash": "0x123"}'
ZERO_SECRET = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize(("secret", "path", "body", "signature"), SPOT)
def test_a_spot_signature_is_the_published_one(secret: str, path: str, body: str, signature: str) -> None:
    """Over the path, and the SHA-256 of nonce and body."""
    assert spot_signature(secret, path, NONCE, body.encode()) == signature


@pytest.mark.parametrize(("secret", "path", "data", "nonce", "signature"), FUTURES)
def test_a_futures_signature_is_the_published_one(secret: str, path: str, data: str, nonce: str, signature: str) -> None:
    """`/derivatives` is cut off, `/api/auth` is not; data is signed as it is encoded; the nonce may be absent."""
    assert futures_signature(secret, path, data, nonce) == signature


def test_a_polymarket_signature_is_the_published_one() -> None:
    """The vector that the venue's own clients test themselves with."""
    signature = polymarket_signature(ZERO_SECRET, 1_000_000, "test-sign", "/orders", HASH_BODY)
    assert signature == "ZwAdJKvoYRlEKDkNMwd5BuwNNtg93kNaR_oU2HrfVvc="


def test_a_polymarket_signature_leaves_the_query_out() -> None:
    """Only the path is signed."""
    plain = polymarket_signature(ZERO_SECRET, 1_000_000, "GET", "/data/orders")
    assert polymarket_signature(ZERO_SECRET, 1_000_000, "GET", "/data/orders?market=0x1") == plain
    assert polymarket_signature(ZERO_SECRET, 1_000_001, "GET", "/data/orders") != plain


def test_a_polymarket_secret_may_be_in_either_alphabet_and_without_padding() -> None:
    """As the venue's TypeScript client takes it."""
    standard, urlsafe = "++/" + "A" * 40 + "=", "--_" + "A" * 40
    assert decoded_urlsafe(standard) == decoded_urlsafe(urlsafe) == b"\xfb\xef\xc0" + bytes(29)


@given(st.binary(min_size=1, max_size=80))
def test_a_secret_is_decoded_to_what_was_encoded(secret: bytes) -> None:
    """In both alphabets."""
    assert decoded(base64.b64encode(secret).decode()) == secret
    assert decoded_urlsafe(base64.urlsafe_b64encode(secret).decode()) == secret


@pytest.mark.parametrize(
    "broken", [OFFICIAL_SPOT[:-1], OFFICIAL_SPOT[:-3], f"{OFFICIAL_SPOT[:40]} {OFFICIAL_SPOT[40:]}", "schlüssel"]
)
def test_a_broken_secret_is_refused_without_being_shown(broken: str) -> None:
    """Cut off, with a blank inside, or no base64 at all; not in the traceback either."""
    with pytest.raises(ValueError, match="no whole base64") as refused:
        decoded(broken)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert broken[:8] not in shown
