"""The simulated private endpoints believe nobody: a signature must fit the path, the bytes and the time."""

import asyncio

import pytest
from pydantic import SecretStr

from adapters.health import Health
from adapters.http import VenueClient
from adapters.keys.kraken_spot import spot_rights
from adapters.keys.polymarket import polymarket_rights
from adapters.keys.signatures import futures_signature, spot_signature
from adapters.keys.values import ApiKey, L2Key
from adapters.simulated_venues import Accounts, Answer, Request, SimKey, SimL2Key, SimulatedVenues, Steady
from adapters.simulated_venues.accounts import FUTURES_ACCOUNTS, FUTURES_CHECK, SPOT_INFO
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
SIM = SimKey(key="known", secret=SECRET)
L2 = SimL2Key(address="0xAB", key="known", secret=SECRET, passphrase="pass")


def accounts() -> Accounts:
    """One key of each kind."""
    return Accounts(Steady(), spot=(SIM,), futures=(SIM,), clob=(L2,))


def spot_answer(script: Accounts, nonce: int, *, signed_nonce: int | None = None, sent: bytes = b"") -> object:
    """What a spot request is answered; what is signed may differ from what is sent."""
    body = f"nonce={signed_nonce or nonce}".encode()
    headers = {"api-key": "known", "api-sign": spot_signature(SECRET, SPOT_INFO, signed_nonce or nonce, body)}
    request = Request("POST", SPOT_INFO, {}, sent or f"nonce={nonce}".encode(), headers)
    answer = script.answer("kraken_spot", request, NOW_MS).body
    assert isinstance(answer, dict)
    return answer["error"]


def test_a_spot_nonce_must_exceed_every_earlier_one() -> None:
    """Equal is not enough."""
    script = accounts()
    assert [spot_answer(script, nonce) for nonce in (5, 5, 4, 6)] == [[], ["EAPI:Invalid nonce"], ["EAPI:Invalid nonce"], []]


def test_a_spot_signature_must_fit_the_bytes_that_were_sent() -> None:
    """Another nonce, another body, no nonce."""
    for forged in (spot_answer(accounts(), 5, signed_nonce=6), spot_answer(accounts(), 5, sent=b"nonce=5&otp=1")):
        assert forged == ["EAPI:Invalid signature"]
    assert spot_answer(accounts(), 5, sent=b"\xff") == ["EAPI:Invalid signature"]


@pytest.mark.parametrize("path", [FUTURES_CHECK, FUTURES_ACCOUNTS])
@pytest.mark.parametrize("nonce", ["", "17"])
def test_a_futures_signature_must_fit_path_and_nonce(path: str, nonce: str) -> None:
    """A signature for one path opens no other."""

    def answer(signed: str, sent_nonce: str) -> Answer:
        headers = {"apikey": "known", "authent": futures_signature(SECRET, signed, nonce=nonce), "nonce": sent_nonce}
        return accounts().answer("kraken_futures", Request("GET", path, {}, b"", headers), NOW_MS)

    other = FUTURES_ACCOUNTS if path == FUTURES_CHECK else FUTURES_CHECK
    assert "authenticationError" not in str(answer(path, nonce).body)
    assert "authenticationError" in str(answer(other, nonce).body)
    assert "authenticationError" in str(answer(path, f"{nonce}1").body)


def test_a_polymarket_timestamp_must_be_of_now() -> None:
    """A clock that is two minutes off is refused like a wrong key."""
    key = L2Key(address=SecretStr("0xab"), key=SecretStr("known"), secret=SecretStr(SECRET), passphrase=SecretStr("pass"))

    async def ask(skew_ms: int) -> None:
        with SimulatedVenues(accounts(), lambda: NOW_MS) as server:
            clock = StoppedClock(NOW_MS + skew_ms)
            client = VenueClient("polymarket_clob", f"{server.origin}/clob", clock=clock, health=Health())
            try:
                await polymarket_rights(client, key)
            finally:
                await client.aclose()

    asyncio.run(ask(30_000))
    with pytest.raises(Unavailable, match="authentication"):
        asyncio.run(ask(120_000))


def test_what_is_not_private_is_left_to_the_script_behind() -> None:
    """And a private path of another method does not exist."""
    script = accounts()
    assert script.answer("kraken_spot", Request("GET", "/0/public/Time", {}, b""), NOW_MS).status == 200
    assert script.answer("kraken_spot", Request("GET", SPOT_INFO, {}, b""), NOW_MS).status == 404
    assert script.answer("clob", Request("POST", "/order", {}, b""), NOW_MS).status == 404


def test_nothing_of_a_key_is_in_a_repr() -> None:
    """Of a request, of a simulated key, of a real one."""
    request = Request("GET", FUTURES_CHECK, {}, b"", {"apikey": "known"})
    real = ApiKey(key=SecretStr("known"), secret=SecretStr(SECRET))
    assert all("known" not in repr(value) and SECRET not in repr(value) for value in (request, SIM, L2, real))


def test_the_client_s_nonce_is_what_the_venue_reads() -> None:
    """Over real HTTP: the second try with the same nonce is refused."""
    key = ApiKey(key=SecretStr("known"), secret=SecretStr(SECRET))

    async def twice() -> None:
        with SimulatedVenues(accounts(), lambda: NOW_MS) as server:
            client = VenueClient("kraken_spot", f"{server.origin}/kraken", clock=StoppedClock(), health=Health())
            try:
                assert (await spot_rights(client, key, 7)).beyond == ()
                with pytest.raises(Unavailable, match="invalid_nonce"):
                    await spot_rights(client, key, 7)
            finally:
                await client.aclose()

    asyncio.run(twice())
