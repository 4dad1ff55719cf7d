"""Broken payloads out of whole ones: parts of the text are replaced in place, so that a change costs no parsing.

JSON is changed by its structure (values, keys, members, elements), other text by its cells and lines, and either by its bytes.
"""

import gzip
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

Kind = str
"""What stands at a place: "value", "key", "member" (with its comma), "element" or "cell"."""


class Place(NamedTuple):
    """A part of a text: from `start` to before `end`."""

    start: int
    end: int
    kind: Kind


class Whole(NamedTuple):
    """A payload that is as it should be, and the places at which it can be changed."""

    content: bytes
    places: tuple[Place, ...]


_PLAIN_NUMBERS = """
0 -0 -1 1 0.0 -0.0 0.5 1.0 1.5 2 -0.5 1e-9 1e-40 1e-41 5e-324 1e308 1e400 -1e400 1E+400 1e-400 0.1e1 1e0 1e12 1e13
NaN nan -NaN sNaN Infinity -Infinity inf -inf 01 +1 .5 5. 1_000 0x10 0,25 1.000,5 ½ ٠.٥ ０.５ 1e999999999 1e-999999999
1e99999999999999999999 9007199254740993 18446744073709551616 99999999999999999999 100000000000000000000 1790000000000
1577836799999 1577836800000 4102444800000 4102444800001 1790000000 17900000000000 -1790000000000 0.1234567 0.123456789
"""
NUMBERS = (*_PLAIN_NUMBERS.split(), "0." + "1" * 18, "0." + "1" * 61, "9" * 21, "9" * 300, "9" * 6_000, "0." + "0" * 400 + "1")
"""Numbers as they should not be, and a few that may pass; each is used bare, and as a text."""

_SHORT_TEXTS = r"""
"" null true NaN [] {} [ =1+1 @SUM - 0x a,b a;b \" \n \r\n \t \u0000 \ud800 \udfff\ud800 \u202e\u200b \ufeff \u2028 ﬀ İ ſ 𝟘.𝟝 🎈
../../etc/passwd / // http://[ https://polymarket.com
https://polymarket.com/event/x %00 %s{0} yes Yes No Up resolved * btc-updown-5m-*
2026-13-45T00:00:00Z 0000-00-00T00:00:00Z 9999-12-31T23:59:59.999999999Z 2026-01-01T24:00:00Z 2026-06-30T23:59:60Z
[\"1\",null] [\"1\",\"1\"] [\"0\",\"1\"] [\"\ud800\",\"No\"] [\"Yes\",\"No\"] {\"a\":1}
"""
TEXTS = (
    *(f'"{text}"' for text in _SHORT_TEXTS.split()),
    *('" "', '"\x7f"', '"\x85"', '"' + "x" * 300 + '"', '"' + "x" * 10_000 + '"', '"' + "7" * 78 + '"', '"' + "7" * 79 + '"'),
    *('"0x' + "a" * 64 + '"', '"' + "[" * 3_000 + '"', '"[' + "1" * 5_000 + ']"'),
)
_SHORT_OTHERS = 'null true false [] {} [null] [[]] [{}] {"":null} [1,2,3] undefined None \' " , : ] } [ {'
OTHERS = (
    *_SHORT_OTHERS.split(),
    '{"error":"x"}',
    '{"a":1,"a":2}',
    "[" * 2_000 + "]" * 2_000,
    '{"a":' * 2_000 + "0" + "}" * 2_000,
    "",
    " ",
)
JUNK = tuple(
    text.encode("utf-8", "surrogatepass") for text in (*NUMBERS, *(f'"{number}"' for number in NUMBERS), *TEXTS, *OTHERS)
)
BYTES = (
    b"\x00",
    b"\xff",
    b"\x80",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b",",
    b"=",
    b";",
    b"\xe2\x80\xa8",
    b"\x1a",
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "utf-8-sig", "cp037")

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_CELL = re.compile(r"[^,;=\t\r\n]+")


def whole(content: bytes) -> Whole:
    """A payload with its places: by structure when it is one JSON text, else by cells and lines."""
    places = _json_places(content) if content[:1] in (b"{", b"[") and b"}\n{" not in content else []
    return Whole(content, tuple(places or _text_places(content)))


def _text_places(content: bytes) -> list[Place]:
    text = content.decode("latin-1")
    cells = [Place(*found.span(), "cell") for found in _CELL.finditer(text)]
    return cells + [Place(*found.span(), "member") for found in re.finditer(r"[^\n]*\n", text)]


def _json_places(content: bytes) -> list[Place]:
    """Latin-1 keeps the offsets those of the bytes, and the signs of JSON are ASCII."""
    tokens = list(_TOKEN.finditer(content.decode("latin-1")))
    places: list[Place] = []
    _value(tokens, 0, places)
    return places


def _value(tokens: Sequence[re.Match[str]], at: int, places: list[Place]) -> int:
    """Note the value that begins at this token and all in it; the token after it."""
    first = tokens[at]
    opening = first.group()
    at += 1
    if opening in "{[":
        while tokens[at].group() not in "}]":
            start = tokens[at].start()
            if opening == "{":
                places.append(Place(start, tokens[at].end(), "key"))
                at += 2
            at = _value(tokens, at, places)
            comma = tokens[at].group() == ","
            at += comma
            places.append(
                Place(start, tokens[at].start() if comma else tokens[at - 1].end(), "member" if opening == "{" else "element")
            )
        at += 1
    places.append(Place(first.start(), tokens[at - 1].end(), "value"))
    return at


def broken(good: Whole, dice: Random) -> bytes:
    """The payload with one to four changes: mostly of its structure, now and then of its bytes or its encoding."""
    content = good.content
    how = dice.random()
    if how < 0.85 and good.places:
        content = _restructured(good, dice)
    if how > 0.80:
        content = dice.choice(BYTEWISE)(content, dice)
    return content


def _restructured(good: Whole, dice: Random) -> bytes:
    """Changes at places that do not overlap, from the last to the first, so that the places before stay where they are."""
    content, limit = good.content, len(good.content) + 1
    count = dice.choice((1, 1, 1, 2, 2, 3, 4))
    for place in sorted((dice.choice(good.places) for _ in range(count)), reverse=True):
        if place.end < limit:
            content = content[: place.start] + _changed(good, place, dice) + content[place.end :]
            limit = place.start
    return content


def _changed(good: Whole, place: Place, dice: Random) -> bytes:
    here = good.content[place.start : place.end]
    return dice.choice(CHANGES[place.kind])(here, good, dice)


Change = Callable[[bytes, Whole, Random], bytes]


def _junk(here: bytes, good: Whole, dice: Random) -> bytes:
    return dice.choice(JUNK)


def _elsewhere(here: bytes, good: Whole, dice: Random) -> bytes:
    """What stands at another place."""
    other = dice.choice(good.places)
    return good.content[other.start : other.end]


def _digit(here: bytes, good: Whole, dice: Random) -> bytes:
    """One sign of it exchanged, or another number of digits."""
    if not here:
        return b"1"
    at = dice.randrange(len(here))
    return (
        here[:at]
        + dice.choice((b"0", b"1", b"5", b"9", b".", b"-", b"e", b"E5", b"00", b"_", b" ", b"+", b""))
        + here[at + 1 :]
    )


def _retyped(here: bytes, good: Whole, dice: Random) -> bytes:
    """A text without its quotes, anything else with them."""
    return here.strip(b'"') if here[:1] == b'"' else b'"' + here.replace(b'"', b'\\"') + b'"'


def _nested(here: bytes, good: Whole, dice: Random) -> bytes:
    return dice.choice((b"[%b]", b'{"data":%b}', b'{"markets":%b}', b"[%b,%b]", b'{"0":%b}')).replace(b"%b", here)


def _dropped(here: bytes, good: Whole, dice: Random) -> bytes:
    return b""


def _doubled(here: bytes, good: Whole, dice: Random) -> bytes:
    parted = here if here.rstrip().endswith((b",", b"\n")) else b"," + here
    return here + parted * dice.choice((1, 1, 1, 2, 50))


def _renamed(here: bytes, good: Whole, dice: Random) -> bytes:
    """Another key of the same payload, or a word that none has."""
    keys = [place for place in good.places if place.kind == "key"]
    other = dice.choice(keys)
    names = (good.content[other.start : other.end], here.upper(), b'"x"', b'""', b'"__class__"', b'"error"', here[:-1] + b' "')
    return dice.choice(names)


CHANGES: dict[Kind, tuple[Change, ...]] = {
    "value": (_junk, _junk, _junk, _elsewhere, _digit, _digit, _retyped, _nested),
    "key": (_renamed,),
    "member": (_dropped, _doubled),
    "element": (_dropped, _doubled, _elsewhere),
    "cell": (_junk, _junk, _elsewhere, _digit, _dropped, _retyped),
}


def _flipped(content: bytes, dice: Random) -> bytes:
    if not content:
        return dice.choice(BYTES)
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]


def _inserted(content: bytes, dice: Random) -> bytes:
    at = dice.randint(0, len(content))
    return content[:at] + dice.choice(BYTES) * dice.choice((1, 1, 2, 1_000)) + content[at:]


def _cut(content: bytes, dice: Random) -> bytes:
    first, last = sorted((dice.randint(0, len(content)), dice.randint(0, len(content))))
    return dice.choice((content[:first], content[first:], content[:first] + content[last:]))


def _repeated(content: bytes, dice: Random) -> bytes:
    return content * 2 if len(content) > 20_000 else content * dice.choice((2, 3))


def _recoded(content: bytes, dice: Random) -> bytes:
    return content.decode("utf-8", "replace").encode(dice.choice(ENCODINGS), "replace")


def _packed(content: bytes, dice: Random) -> bytes:
    return gzip.compress(content, 1, mtime=0) if content[:2] != b"\x1f\x8b" else content[10:]


def _noise(content: bytes, dice: Random) -> bytes:
    return dice.randbytes(dice.choice((0, 1, 7, 64, 500)))


BYTEWISE: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flipped,
    _flipped,
    _flipped,
    _inserted,
    _inserted,
    _cut,
    _cut,
    _repeated,
    _recoded,
    _packed,
    _noise,
)
