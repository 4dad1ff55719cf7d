"""One function for a coverage-guided fuzzer: `consume` reads bytes as CSV, JSON or configuration, and nothing may leave it.

Atheris is no dependency of this project. Where it is installed (`pip install atheris`, in an environment of its own beside
`pip install -e .`), `python -m tests.torture.atheris_target [libFuzzer's options] [a corpus directory]` fuzzes until it is
stopped; `--corpus DIRECTORY` writes whole payloads there to begin with. The first byte chooses the parser.
"""

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp

OURS = ["domain", "adapters", "entrypoints"]
"""What atheris watches: to instrument the libraries too takes minutes and finds their bugs."""


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Where the parsers of files find theirs."""
    return Path(mkdtemp(prefix="atheris-"))


def consume(content: bytes) -> None:
    """Parse; whatever the parser does not say is raised, and so is `ValueError` for a value with a number that is none."""
    # Imported late, here and below: atheris sees into what is imported after it.
    from tests.torture.parsers import PARSERS, NotJson
    from tests.torture.world import flaw

    if not content:
        return
    parser = PARSERS[content[0] % len(PARSERS)]
    try:
        values = list(parser.read(content[1:], _folder()))
    except Exception as error:
        if isinstance(error, (*parser.refusals, NotJson)):
            return
        raise
    for value in values:
        if found := flaw(value):
            raise ValueError(f"{parser.kind}: {found} in a {type(value).__name__}")


def corpus() -> Iterator[bytes]:
    """Every whole payload, for each parser that reads its kind."""
    from tests.torture.parsers import PARSERS
    from tests.torture.seeds import config_seeds, record_seeds, venue_seeds

    seeds = venue_seeds() | config_seeds() | record_seeds()
    for number, parser in enumerate(PARSERS):
        for payload in seeds[parser.kind]:
            yield bytes([number]) + payload


def main() -> None:
    """Hand `consume` over to atheris, or write the corpus."""
    if sys.argv[1:2] == ["--corpus"]:
        directory = Path(sys.argv[2])
        directory.mkdir(parents=True, exist_ok=True)
        for number, payload in enumerate(corpus()):
            (directory / f"{number:04}").write_bytes(payload)
        return
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=OURS):
        consume(b"")
    atheris.Setup(sys.argv, consume)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
