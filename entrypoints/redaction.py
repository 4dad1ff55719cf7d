"""What takes secrets out of a text before anybody reads it: the log, and what the portal shows of an error."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Final, Self
from urllib.parse import quote, unquote

from adapters.keys.values import SHORTEST_REDACTED

GONE = "***"

PATTERNS: Final = (
    re.compile(r"()\b0x[0-9a-f]{40,}", re.IGNORECASE),
    re.compile(r"()\b(?=[0-9]*[a-f])[0-9a-f]{64}\b", re.IGNORECASE),
    re.compile(r"(://)[^/\s@]+(?=@)"),
    re.compile(r"""((?:key|secret|passphrase|authorization)["'\\ :=]+)(?:(?:bearer|basic)\s+)?\S+""", re.IGNORECASE),
)
"""What looks like a secret: a long hexadecimal number with its 0x, a private key without it, who asks in an address, and what
is named as one.
"""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Knows some secrets, and what others look like."""

    spellings: tuple[str, ...] = ()

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Self:
        """One that knows these, as they are and as a URL, JSON or Python would spell them; shorter ones are no secrets."""
        known = {spelt for secret in secrets if len(secret) >= SHORTEST_REDACTED for spelt in _spellings(secret)}
        return cls(tuple(sorted(known, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """`text` without the known secrets and without what looks like one."""
        return reduce(lambda left, pattern: pattern.sub(rf"\1{GONE}", left), PATTERNS, self.known(text))

    def known(self, text: str) -> str:
        """`text` without the known secrets: for what people must be able to read, such as what is wrong with a setting."""
        return reduce(lambda left, secret: left.replace(secret, GONE), self.spellings, text)


SHORTEST_IN_ADDRESS = 8
"""A shorter part of an address is a word, not a token."""


def secrets_of_addresses(addresses: str) -> Iterator[str]:
    """What must not be seen of addresses with spaces between them: each whole, and the parts that may be tokens.

    A host's name is none, where it is one: other services put a token into its place.
    """
    for address in addresses.split():
        yield address
        place = re.match(r"[^/]*//(?:[^/]*@)?([^/:?]*)", address)
        host = place[1] if place and ("." in place[1] or place[1] == "localhost") else ""
        for part in re.split(r"[/?&=@:]+", address)[1:]:
            if len(part) >= SHORTEST_IN_ADDRESS and part != host:
                yield from (part, unquote(part))


def _spellings(secret: str) -> Iterable[str]:
    return (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1])
