"""The keys and where they come from: a private file, systemd's credentials, the environment; in this order, venue by venue.

Only `spelar check-keys` reads them. They are no settings, so that nothing that shows settings can show them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from adapters.keys.files import read_credential, read_key_file
from adapters.keys.values import Keys, KeysInvalid

Place = tuple[str | int, ...]
"""Where a value stands: ("kraken_spot", "key")."""

VALUES: dict[tuple[str, str], tuple[str, str]] = {
    ("kraken_spot", "key"): ("KRAKEN_API_KEY", "Kraken spot: the API key"),
    ("kraken_spot", "secret"): ("KRAKEN_API_SECRET", "Kraken spot: the private key, base64"),
    ("kraken_futures", "key"): ("KRAKEN_FUTURES_API_KEY", "Kraken futures: the API key, which is not the spot key"),
    ("kraken_futures", "secret"): ("KRAKEN_FUTURES_API_SECRET", "Kraken futures: the private key, base64"),
    ("polymarket", "address"): ("POLYMARKET_ADDRESS", "Polymarket: the wallet's address that the L2 key belongs to"),
    ("polymarket", "key"): ("POLYMARKET_API_KEY", "Polymarket: the L2 API key"),
    ("polymarket", "secret"): ("POLYMARKET_API_SECRET", "Polymarket: the L2 secret, base64"),
    ("polymarket", "passphrase"): ("POLYMARKET_API_PASSPHRASE", "Polymarket: the L2 passphrase"),
}
"""Every value: where it stands in the file, its variable (in small letters the credential's name), and what it is."""

FILE_VARIABLE = "KRAKEN_KEYS_PATH"
FILE_SHAPE = (
    '{"kraken_spot": {"key": "..", "secret": ".."}, "kraken_futures": {"key": "..", "secret": ".."}, '
    '"polymarket": {"address": "..", "key": "..", "secret": "..", "passphrase": ".."}}'
)
KEY_VARIABLES = {
    FILE_VARIABLE: f"keys, which only `spelar check-keys` reads: a file of mode 0600 with all or parts of `{FILE_SHAPE}`",
    **{
        name: f"{what}; safer in that file or as systemd's LoadCredential={name.lower()}:PATH" for name, what in VALUES.values()
    },
}
"""Every variable that leads to a key, with its meaning. None is a setting, none has a default."""

LONGEST_NAME = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that keys come from: the raw values by venue and part, and what each is called there."""

    values: Mapping[str, object]
    called: Callable[[Place], str]


def read_keys(environment: Mapping[str, str]) -> Keys:
    """The keys of an environment; a venue is taken from the first place that knows it. Raises `KeysInvalid`."""
    picked: dict[str, object] = {}
    names: dict[str | int, Callable[[Place], str]] = {}
    for source in _sources(environment):
        for venue, value in source.values.items():
            if venue not in picked and (value is not None or venue not in Keys.model_fields):
                picked[venue], names[venue] = value, source.called
    try:
        return Keys.model_validate(picked)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        mistakes = [_mistake(e["loc"], e["type"], e["msg"], names[e["loc"][0]]) for e in found]
    raise KeysInvalid("\n".join(mistakes))


def _sources(environment: Mapping[str, str]) -> list[Source]:
    sources = []
    if path := environment.get(FILE_VARIABLE, "").strip():
        sources.append(_in_file(Path(path)))
    if directory := environment.get("CREDENTIALS_DIRECTORY", "").strip():
        sources.append(_by_variable(lambda name: read_credential(Path(directory), name.lower()), "credential {}", str.lower))
    sources.append(_by_variable(lambda name: environment.get(name, "").strip(), "{}", str))
    return sources


def _in_file(path: Path) -> Source:
    content = read_key_file(path)
    if not isinstance(content, dict):
        raise KeysInvalid(f"{path}: must hold {FILE_SHAPE}, or parts of it")
    if content and content.keys() <= {"key", "secret"}:
        return Source(values={"kraken_spot": content}, called=lambda place: f"{path}: {_joined(place[1:])}")
    return Source(values=content, called=lambda place: f"{path}: {_joined(place)}")


def _by_variable(read: Callable[[str], str | None], called: str, spelt: Callable[[str], str]) -> Source:
    """Keys of which each value stands alone under its variable's name; what is empty is not set."""
    values: dict[str, object] = {}
    for venue in Keys.model_fields:
        parts = {part: read(name) for (owner, part), (name, _) in VALUES.items() if owner == venue}
        values[venue] = {part: value for part, value in parts.items() if value} or None
    variables = {place: name for place, (name, _) in VALUES.items()}
    return Source(values=values, called=lambda place: called.format(spelt(variables[str(place[0]), str(place[1])])))


def _mistake(place: Place, kind: str, said: str, called: Callable[[Place], str]) -> str:
    """One line for one of pydantic's errors. Its own text quotes no input."""
    texts = {"missing": "is missing, and the rest of this key is there", "extra_forbidden": "is no name of this file"}
    return f"{called(place)} {texts.get(kind, said.removeprefix('Value error, '))}"


def _joined(place: Place) -> str:
    """A name as the file spells it, unless it is so long that a key may have got into its place."""
    names = [str(name) if len(str(name)) <= LONGEST_NAME else f"(a name of {len(str(name))} letters)" for name in place]
    return ".".join(names)
