"""The parts of the guides in docs/ that the code knows better, in both languages. `make docs` writes them.

Names, defaults, columns, options and codes come from the code; English meanings from the registers. What no register says, and
all Swedish, stands in docs/texts.json. A name that is in one and not in the other is a KeyError here, or fails a test.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from adapters.candidates import Candidate
from adapters.gamma_event import Event
from adapters.health import SourceHealth
from adapters.portal.documents import Latest, Note, Run, live_status, markets_index, order_books, portfolio, sources_health
from adapters.portal.manifest import Content, manifest
from adapters.portal.schema import FILES
from domain.decision import Reason
from domain.market import Level, OrderBook, TokenId
from domain.state_machine import SCALE_IN, STOP, enter_table
from entrypoints.cli import EXIT_CODES, INTERRUPTED, app
from entrypoints.keys import KEY_VARIABLES
from entrypoints.rules import STRATEGIES, rules_of
from entrypoints.settings import KNOWN, Settings, read_settings
from tests.builders import ledger, market, moment, position
from tests.documents import RECOMMENDED, ROOT, table, with_parts
from tests.worked_examples import EXAMPLES

Language = Literal["sv", "en"]
LANGUAGES: tuple[Language, ...] = ("sv", "en")
Part = Callable[[Language], str]
DOCS = ROOT / "docs"
TEXTS: dict[str, Any] = json.loads((DOCS / "texts.json").read_text(encoding="utf-8"))
WORDS: dict[str, list[str]] = json.loads((ROOT / "web/app/words.json").read_text(encoding="utf-8"))
ANY = "*"
"""Stands for a key that is data: a token, a source, a file, a variable."""


def guides() -> tuple[Path, ...]:
    """Every page of the guides."""
    return tuple(sorted(path for language in LANGUAGES for path in (DOCS / language).glob("*.md")))


def language_of(page: Path) -> Language:
    """The language of a page, by its directory."""
    return "sv" if page.parent.name == "sv" else "en"


def said(pair: Sequence[str], language: Language) -> str:
    """Of a Swedish and an English text, the one asked for."""
    return pair[LANGUAGES.index(language)]


def _code(text: str) -> str:
    return f"`{text}`"


def settings_part(language: Language) -> str:
    """Every variable by group, in the register's order: default, unit, meaning, and what is worth trying."""
    blocks: dict[str, list[str]] = {}
    titles = {first: said((sv, en), language) for sv, en, first in TEXTS["groups"]}
    for name in KNOWN:
        if name in titles:
            title = titles[name]
        blocks.setdefault(title, []).append(name)
    head = said(("variabel", "variable"), language), *said(_SETTINGS_HEAD, language).split(", ")
    return "\n\n".join(
        f"## {title}\n\n{table(head, (_setting(name, language) for name in names))}" for title, names in blocks.items()
    )


_SETTINGS_HEAD = ("utgångsläge, enhet, betydelse, pröva, vad det kostar", "default, unit, meaning, try, what it costs")


def _setting(name: str, language: Language) -> tuple[str, ...]:
    unit, swedish = TEXTS["variables"][name]
    default = defaults().get(name, "")
    value, cost = RECOMMENDED.get(name, ("", ""))
    return (
        _code(name),
        _code(default) if default else said(("saknas", "absent"), language),
        ", ".join(map(_code, choices)) if (choices := _choices(name)) else TEXTS["units"][unit] if language == "sv" else unit,
        swedish if language == "sv" else meanings()[name],
        _code(value) if value else "",
        TEXTS["costs"][name] if cost and language == "sv" else cost,
    )


@cache
def defaults() -> Mapping[str, str]:
    """The value of every setting in an empty environment."""
    return Settings().in_force()


@cache
def _schema() -> Mapping[str, Any]:
    properties: Mapping[str, Any] = Settings.model_json_schema()["properties"]
    return properties


def _choices(name: str) -> tuple[str, ...]:
    """The words that a variable takes, empty where it takes others too."""
    schema = _schema().get(name, {})
    return tuple(schema.get("enum", (schema["const"],) if "const" in schema else ()))


@cache
def meanings() -> Mapping[str, str]:
    """What the register says of every variable."""
    return {field.alias or "": field.description or "" for field in Settings.model_fields.values()} | KEY_VARIABLES


def files_part(language: Language) -> str:
    """Every published file with its columns or keys."""
    return "\n\n".join(_file(file.name, language) for file in FILES)


def _file(name: str, language: Language) -> str:
    file = next(file for file in FILES if file.name == name)
    latest, rows_kept = ("Visar den senaste ticken.", "Shows the latest tick."), ("Behåller {} rader.", "Keeps {} rows.")
    kept = said(rows_kept if file.kept else latest, language).format(file.kept)
    columns = TEXTS["columns"]
    names = file.columns or tuple(TEXTS["keys"][name])
    own = columns.get(name, {}) if file.columns else TEXTS["keys"][name]
    rows = ((_code(each), said(own.get(each) or columns["*"][each], language)) for each in names)
    head = said(("kolumn", "column") if file.columns else ("nyckel", "key"), language), said(("betydelse", "meaning"), language)
    return f"### {_code(name)}\n\n{said(TEXTS['files'][name], language)} {kept}\n\n{table(head, rows)}"


def published_documents() -> Mapping[str, Mapping[str, object]]:
    """An example of every JSON file as the code makes it, `*` in the place of keys that are data."""
    token = TokenId(ANY)
    run = Run(
        ledger_id="",
        started_at_ms=0,
        strategy_mode="lead_lag",
        trading_mode="paper",
        settings={ANY: "", "INTERVAL_S": "15"},
        version="0",
    )
    level = (Level(Decimal("0.50"), Decimal(10)),)
    book = OrderBook(token=token, bids=level, asks=level, requested=moment(0), min_order_size=Decimal(5))
    found = Candidate(at=moment(0), event=Event(slug="", title="", listings=()), listing=None, kind="")
    latest = Latest(
        sequence=1,
        at_ms=0,
        ledger_since_ms=0,
        ledger=ledger(positions=[position(token=token)]),
        markets=(market(token=token, reference=None),),
        found=(found,),
        books={token: book},
        note=Note(),
        failures={ANY: 1},
    )
    health = SourceHealth(
        ok=True, last_ok_at_ms=0, age_s=0, latency_p50_ms=1, latency_p95_ms=1, errors={ANY: 1}, alarms={ANY: ""}
    )
    return {
        "live_status.json": live_status(run, latest),
        "sources_health.json": sources_health({ANY: health}),
        "pm_paper_portfolio.json": portfolio(latest),
        "pm_markets_index.json": markets_index(latest),
        "pm_books.json": order_books(run, latest),
        "manifest.json": manifest(run, latest, {ANY: Content(rows=0, newest_ms=None, bytes=0)}),
    }


def keys_of(value: object, place: str = "") -> Iterator[str]:
    """Every place in a JSON value, `a.b` for a key in an object and `a[].b` for one in a list of objects."""
    if isinstance(value, Mapping) and value:
        for name in (ANY,) if ANY in value else tuple(value):
            yield from keys_of(value[name], f"{place}.{name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield from keys_of(value[0], f"{place}[]")
    else:
        yield place


def facts_part(name: str) -> Part:
    """A table of names that stand in texts.json under `name`, with their meanings."""

    def part(language: Language) -> str:
        head = said(("namn", "name"), language), said(("betydelse", "meaning"), language)
        return table(head, ((_code(each), said(pair, language)) for each, pair in TEXTS[name].items()))

    return part


def report_part(language: Language) -> str:
    """The keys of a replay's report."""
    head = said(("nyckel", "key"), language), said(("betydelse", "meaning"), language)
    return table(head, ((_code(key), said(pair, language)) for key, pair in TEXTS["keys"]["report.json"].items()))


def reasons_by_chapter() -> Mapping[tuple[str, str], Mapping[Reason, str]]:
    """Every reason under the heading where a person looks for it, with the variables that set its limits."""
    strategies = {mode: rules_of(read_settings({"STRATEGY_MODE": mode})) for mode in STRATEGIES}
    chapters: dict[tuple[str, str], Mapping[Reason, str]] = {
        ("Indata", "Inputs"): _variables_of(row for rules in strategies.values() for row in rules.inputs)
        | {Reason.ORDER_PENDING: "`PAPER_LATENCY_MS`"},
        ("Spärrar för alla strategier", "Gates of every strategy"): _variables_of(enter_table(())),
    }
    for mode, rules in strategies.items():
        chapters[mode, mode] = _variables_of((*rules.strategy.enter, *rules.strategy.exit))
    shared = {row.reason for row in enter_table(())}
    adds = _variables_of(row for row in SCALE_IN if row.reason not in shared)
    chapters["Ökningar", "Adds"] = adds
    chapters["Utgångar för alla strategier", "Exits of every strategy"] = _variables_of((STOP,)) | {Reason.SETTLED: ""}
    chapters["När inget hindrar", "When nothing stops it"] = {Reason.ENTER: "", Reason.SCALE_IN: "", Reason.HOLD: ""}
    return chapters


def _variables_of(rows: Iterable[Any]) -> dict[Reason, str]:
    found: dict[Reason, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row.reason, {}).update({row.setting: None} if row.setting else {})
    return {reason: ", ".join(map(_code, names)) for reason, names in found.items()}


def reasons_part(language: Language) -> str:
    """Every reason: what it means, its variables, and what to do about it."""
    head = tuple(
        said(("skäl, betydelse, variabel, vad man gör", "reason, meaning, variable, what to do"), language).split(", ")
    )
    return "\n\n".join(
        f"## {said(title, language)}\n\n"
        + table(
            head,
            (
                (_code(reason), said(WORDS[f"reason.{reason}"], language), names, said(TEXTS["reasons"][reason], language))
                for reason, names in reasons.items()
            ),
        )
        for title, reasons in reasons_by_chapter().items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option or an argument of a command: its spellings, its default and the register's own word for it."""

    names: tuple[str, ...]
    default: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of the command line, without the word `spelar`."""

    words: str
    help: str
    options: tuple[Option, ...]


@cache
def commands() -> tuple[Command, ...]:
    """Every command, groups opened."""
    return tuple(_commands_in(typer.main.get_command(app)))


def _commands_in(command: object, words: tuple[str, ...] = ()) -> Iterator[Command]:
    if isinstance(command, TyperGroup):
        if options := _options_of(command):
            yield Command(words=" ".join(words), help=command.help or "", options=options)
        for name, inner in sorted(command.commands.items()):
            yield from _commands_in(inner, (*words, name))
    elif isinstance(command, TyperCommand):
        yield Command(words=" ".join(words), help=command.help or "", options=_options_of(command))


def _options_of(command: TyperCommand | TyperGroup) -> tuple[Option, ...]:
    return tuple(_option(one) for one in command.params if isinstance(one, TyperOption | TyperArgument))


def _option(one: TyperOption | TyperArgument) -> Option:
    names = (*one.opts, *one.secondary_opts) if isinstance(one, TyperOption) else (str(one.name).upper(),)
    default = "" if one.default in (None, False) else str(one.default)
    return Option(names=names, default=default, help=one.help or "")


def commands_part(language: Language) -> str:
    """Every command with its options."""
    return "\n\n".join(_command(command, language) for command in commands())


def _command(command: Command, language: Language) -> str:
    head = tuple(said(("tillval, utgångsläge, betydelse", "option, default, meaning"), language).split(", "))
    rows = [
        (
            " / ".join(map(_code, one.names)),
            _code(one.default) if one.default else "",
            _told(f"{command.words} {one.names[0]}".strip(), one.help, language),
        )
        for one in command.options
    ]
    text = f"### {_code(f'spelar {command.words}'.strip())}\n\n{_told(command.words, command.help, language)}"
    return f"{text}\n\n{table(head, rows)}" if rows else text


def _told(key: str, english: str, language: Language) -> str:
    """Swedish from the texts; English from the command itself, or from the texts where it says nothing."""
    text = TEXTS["commands"][key]
    return said(text, language) if isinstance(text, list) else text if language == "sv" else english


def exit_codes_part(language: Language) -> str:
    """What ends a command with which code."""
    texts = TEXTS["exits"]
    rows: list[tuple[int, str]] = [(code, said(texts[str(code)], language)) for code in (0, 1, INTERRUPTED)]
    rows += [
        (code, texts[kind.__name__] if language == "sv" else (kind.__doc__ or "").split("\n")[0]) for kind, code in EXIT_CODES
    ]
    head = said(("kod", "code"), language), said(("när", "when"), language)
    return table(head, sorted(rows))


@cache
def targets() -> Mapping[str, str]:
    """Every make target that says what it does."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*## (.*)$", text, re.MULTILINE))


def targets_part(language: Language) -> str:
    """Every make target."""
    rows = (
        (_code(f"make {name}"), TEXTS["targets"][name] if language == "sv" else english) for name, english in targets().items()
    )
    return table((said(("kommando", "command"), language), said(("gör", "does"), language)), rows)


def scripts() -> tuple[str, ...]:
    """Every script that a person runs, by its path in the project."""
    found = (path for folder in ("scripts", "vps") for path in (ROOT / folder).iterdir() if path.suffix in (".sh", ".ps1"))
    return tuple(sorted(str(path.relative_to(ROOT)) for path in found))


def scripts_part(language: Language) -> str:
    """Every script that a person runs."""
    rows = ((_code(name), said(TEXTS["scripts"][name], language)) for name in scripts())
    return table((said(("skript", "script"), language), said(("gör", "does"), language)), rows)


def example_part(strategy: str) -> Part:
    """A strategy's worked example."""

    def part(language: Language) -> str:
        head = tuple(said(("steg, räkning, blir", "step, working, comes to"), language).split(", "))
        steps = EXAMPLES[strategy]()
        return table(head, ((said(step[:2], language), _code(step.formula), _code(step.comes_to)) for step in steps))

    return part


PARTS: Mapping[str, Part] = {
    "settings": settings_part,
    "files": files_part,
    "map": facts_part("map"),
    "baseline": facts_part("baseline"),
    "reasons": reasons_part,
    "scan-reasons": facts_part("scan"),
    "errors": facts_part("kinds"),
    "commands": commands_part,
    "exit-codes": exit_codes_part,
    "targets": targets_part,
    "scripts": scripts_part,
    "connection": facts_part("connection"),
    "notices": facts_part("notices"),
    "metrics": facts_part("metrics"),
    "report": report_part,
    "trials": facts_part("trials"),
    **{f"example-{strategy}": example_part(strategy) for strategy in EXAMPLES},
}
"""What stands between `<!-- NAME -->` and `<!-- /NAME -->`."""


@cache
def parts(language: Language) -> Mapping[str, str]:
    """Each generated part by its name."""
    return {name: part(language) for name, part in PARTS.items()}


if __name__ == "__main__":
    for page in guides():
        page.write_text(with_parts(page.read_text(encoding="utf-8"), parts(language_of(page))), encoding="utf-8")
