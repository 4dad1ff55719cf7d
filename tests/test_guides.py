"""The guides in docs/ explain all that the code has, in both languages, and name nothing that it has not."""

import ast
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from adapters.candidates import ScanReason
from adapters.draw_baseline import KNOWN as BASELINE_COLUMNS
from adapters.market_map import ConstantFair, FuturesPart, HedgePart, LinearFair, MapEntry, MarketMap, PolymarketPart, SpotPart
from adapters.portal.schema import FILES
from adapters.tape.trials import NUMBERS
from domain.decision import Reason, Signal
from domain.history import History
from domain.notice import NoticeKind
from domain.report import TradeAction
from domain.strategies import Strategy
from entrypoints import VERSION
from entrypoints.cli import EXIT_CODES, INTERRUPTED
from entrypoints.keys import VALUES
from entrypoints.rules import STRATEGIES
from entrypoints.settings import KNOWN
from tests.builders import reading, rules, seen
from tests.documents import RECOMMENDED, ROOT, with_parts
from tests.fakes import Play
from tests.guides import (
    DOCS,
    LANGUAGES,
    TEXTS,
    WORDS,
    Language,
    commands,
    guides,
    keys_of,
    language_of,
    parts,
    published_documents,
    reasons_by_chapter,
    said,
    scripts,
    targets,
)
from tests.prose import PART, Page
from tests.worked_examples import EXAMPLES, Step

PAGES = tuple(map(Page.read, guides()))
CONNECTION = re.findall(r"^#?([A-Z_]+)=", (ROOT / "scripts/vps.local.env.example").read_text(encoding="utf-8"), re.MULTILINE)
"""What the scripts ask for."""


def _options_of(script: str) -> set[str]:
    """Those of a shell script's usage, or of a PowerShell script's parameters."""
    text = (ROOT / script).read_text(encoding="utf-8")
    if script.endswith(".sh"):
        usage = "\n".join(re.findall(r"^#.*$", text, re.MULTILINE))
        return set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", usage))
    block = re.search(r"^param\((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return {f"-{name}" for name in re.findall(r"\$(\w+)", block[1])} if block else set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_runbook_shows_the_version_that_there_is(language: Language) -> None:
    """In what the agent says when it starts."""
    assert f"INFO spelar {VERSION}: lead_lag on paper" in (DOCS / language / "runbook.md").read_text(encoding="utf-8")


OTHERS_SAY = {"running scripts is disabled", "Permission denied (publickey)"}
"""What PowerShell and ssh say."""


def _sources() -> str:
    folders = ("adapters", "entrypoints", "scripts", "vps")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sh", ".ps1"))
    return "".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_program_says_is_quoted_as_it_says_it(language: Language) -> None:
    """A message in the symptoms stands in the source."""
    page = Page.read(DOCS / language / "troubleshooting.md")
    cells = re.findall(r"^\| ([^|]+) \|", page.written, re.MULTILINE)
    quoted = {span for cell in cells for span in re.findall(r"`([^`]+ [^`]+)`", cell)}
    source = _sources()
    assert len(quoted) > 8
    assert [text for text in quoted - OTHERS_SAY if text not in source] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["runbook.md", "troubleshooting.md", "reasons.md"])
def test_what_the_portal_says_is_quoted_as_it_says_it(language: Language, name: str) -> None:
    """Its words, in slanted letters."""
    quoted = re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", Page.read(DOCS / language / name).written)
    words = [said(pair, language) for pair in WORDS.values()]
    assert quoted
    assert [text for text in quoted if not any(text in word for word in words)] == []


SCRIPT_OPTIONS = set().union(*map(_options_of, scripts()))
IN_SWEDISH = tuple(page for page in PAGES if language_of(page.path) == "sv")


def _name(page: Page) -> str:
    return f"{page.path.parent.name}/{page.path.name}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_generated_parts_are_current(page: Page) -> None:
    """`make docs` writes them."""
    assert with_parts(page.text, parts(language_of(page.path))) == page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_stands_on_exactly_one_page(language: Language) -> None:
    """What is generated is read by somebody, and a marker without a part would stay empty."""
    found = [name for page in PAGES if language_of(page.path) == language for name, _ in PART.findall(page.text)]
    assert sorted(found) == sorted(parts(language))


class TestTheTexts:
    """docs/texts.json speaks of just what the code has."""

    @pytest.mark.parametrize(
        ("section", "names"),
        [
            ("variables", KNOWN),
            ("costs", RECOMMENDED),
            ("reasons", Reason),
            ("scan", ScanReason),
            ("files", (file.name for file in FILES)),
            ("trials", NUMBERS),
            ("baseline", BASELINE_COLUMNS),
            ("exits", ("0", "1", str(INTERRUPTED), *(kind.__name__ for kind, _ in EXIT_CODES))),
            ("targets", targets()),
            ("scripts", scripts()),
            ("connection", CONNECTION),
            ("notices", NoticeKind),
            ("metrics", re.findall(r'"(spelar_[a-z_]+)"', (ROOT / "adapters/metrics.py").read_text(encoding="utf-8"))),
        ],
    )
    def test_name_what_the_code_names(self, section: str, names: Iterable[str]) -> None:
        """Both ways."""
        assert set(TEXTS[section]) == set(names)

    def test_explain_every_command_option_and_argument(self) -> None:
        """Both ways."""
        told = {f"{command.words} {option.names[0]}".strip() for command in commands() for option in command.options}
        assert set(TEXTS["commands"]) == told | {command.words for command in commands()}

    def test_explain_every_column(self) -> None:
        """Both ways: a word of its own, or the one that all files share."""
        columns = {file.name: set(file.columns) for file in FILES if file.columns}
        own = {name: set(texts) for name, texts in TEXTS["columns"].items() if name != "*"}
        assert [(name, column) for name, texts in own.items() for column in texts - columns.get(name, set())] == []
        shared = set().union(*(columns[name] - own.get(name, set()) for name in columns))
        assert set(TEXTS["columns"]["*"]) == shared

    @pytest.mark.parametrize("name", [file.name for file in FILES if not file.columns])
    def test_explain_every_key_of_a_json_file(self, name: str) -> None:
        """Both ways, and in the order of the file."""
        assert list(TEXTS["keys"][name]) == list(keys_of(published_documents()[name]))

    def test_explain_every_key_of_the_map(self) -> None:
        """Both ways."""
        parts_of_an_entry: dict[str, list[type[BaseModel]]] = {
            "polymarket": [PolymarketPart],
            "kraken_spot": [SpotPart],
            "kraken_futures": [FuturesPart],
            "fair_model": [ConstantFair, LinearFair],
            "hedge": [HedgePart],
        }
        inner = {
            f"{place}.{key}" for place, models in parts_of_an_entry.items() for model in models for key in model.model_fields
        }
        assert set(MapEntry.model_fields) - {"name"} == set(parts_of_an_entry)
        assert set(TEXTS["map"]) == {*MarketMap.model_fields, "name"} | inner

    def test_explain_every_option_of_the_scripts(self) -> None:
        """What is no place of `vps.local.env` stands in the scripts' own lines, in both languages."""
        asked = {name.replace("_", "-").lower() for name in CONNECTION} | {name.replace("_", "").lower() for name in CONNECTION}
        own = {option for option in SCRIPT_OPTIONS if option.lstrip("-").lower() not in asked}
        assert own == {"--no-restart", "-NoRestart", "--deploy-portal", "-DeployPortal", "--code-only", "--env"}
        for which in range(len(LANGUAGES)):
            told = "".join(pair[which] for pair in TEXTS["scripts"].values())
            assert [option for option in own if f"`{option}`" not in told] == []

    def test_use_every_unit_that_they_list(self) -> None:
        """And no other."""
        assert {unit for unit, _ in TEXTS["variables"].values()} == set(TEXTS["units"])

    def test_name_kinds_of_errors_that_an_adapter_can_raise(self) -> None:
        """A kind stands in the source as it is written into the file."""
        source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "adapters").glob("*.py"))
        assert [kind for kind in TEXTS["kinds"] if f'"{kind}"' not in source] == []

    def test_show_every_reason_where_somebody_looks_for_it(self) -> None:
        """No reason is without a chapter."""
        assert {reason for chapter in reasons_by_chapter().values() for reason in chapter} == set(Reason)


class TestTheTwoLanguages:
    """The same facts."""

    def test_have_the_same_pages(self) -> None:
        """By the same names."""
        assert {path.name for path in (DOCS / "sv").iterdir()} == {path.name for path in (DOCS / "en").iterdir()}

    @pytest.mark.parametrize("page", IN_SWEDISH, ids=_name)
    def test_have_the_same_headings(self, page: Page) -> None:
        """Level by level."""
        english = Page.read(DOCS / "en" / page.path.name)
        assert [level for level, _ in page.headings] == [level for level, _ in english.headings]

    @pytest.mark.parametrize("page", IN_SWEDISH, ids=_name)
    def test_have_the_same_blocks(self, page: Page) -> None:
        """What is typed, shown or written is the same; `text` blocks of formulas hold words and match in number."""
        english = Page.read(DOCS / "en" / page.path.name)
        assert [block.kind for block in page.blocks] == [block.kind for block in english.blocks]
        for mine, other in zip(page.blocks, english.blocks, strict=True):
            assert mine == other or (mine.kind == "text" and len(mine.lines) == len(other.lines))

    @pytest.mark.parametrize("page", IN_SWEDISH, ids=_name)
    def test_name_the_same_things(self, page: Page) -> None:
        """Variables, files, commands and paths in what people wrote; words of prose may differ."""
        english = Page.read(DOCS / "en" / page.path.name)
        assert set(_things(page)) == set(_things(english))


def _things(page: Page) -> Iterator[str]:
    for span in page.spans():
        yield from VARIABLE.findall(span)
        yield from FILE.findall(span)
        yield from PLACE.findall(span)


VARIABLE = re.compile(r"(?<![\w.])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w*])")
FILE = re.compile(r"(?<![\w/.*-])([\w-]+\.(?:csv|json|jsonl|parquet|sqlite3))(?![\w.])")
PLACE = re.compile(r"(?<![\w/.-])((?:domain|adapters|entrypoints|tests|scripts|vps|web/app|docs)/[\w./-]*[\w/])")
WORD = re.compile(r"^[a-z0-9]+(?:_[a-z0-9]+)+$")
COMMAND = re.compile(r"(?:^|[\s/\\])spelar ([a-z-]+(?: (?:check|export|backup|reset-paper))?)(.*)$")
OPTION = re.compile(r"(?<!\S)(--[a-z-]+)")

OTHER_FILES = {
    "market_map.json",
    "market_map.example.json",
    "pm_draw_baseline.csv",
    "texts.json",
    "words.json",
    "trades.csv",
    "trades.json",
    "trades.parquet",
    "trials.parquet",
    "report.json",
    "run.json",
    "ledger.sqlite3",
}
"""Files that are no published ones: what people write, what replays and exports leave, the project's own."""


def _words_that_mean_something() -> set[str]:
    columns = {column for file in FILES for column in file.columns}
    keys = {key for texts in TEXTS["keys"].values() for place in texts for key in re.split(r"[.\[\]]+", place)}
    map_words = {word for place in TEXTS["map"] for word in place.split(".")}
    sources = {"polymarket_clob", "polymarket_gamma", "kraken_spot", "kraken_futures", "linear_range", "three_way", "scale_in"}
    fields = {*Strategy.__dataclass_fields__, *Signal.__dataclass_fields__, "fee_assumed", "write_failures", "http_403"}
    credentials = {name.lower() for name, _ in VALUES.values()}
    credentials |= {name.partition("_")[2] for name in credentials}
    return {*Reason, *ScanReason, *TEXTS["kinds"], *STRATEGIES, *columns, *keys, *map_words, *sources, *fields, *credentials}


class TestNothingIsNamedThatDoesNotExist:
    """In what people wrote and in what is to be typed."""

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_variables(self, page: Page) -> None:
        """A word of capitals with an underscore is one of our variables."""
        named = {name for span in page.spans() for name in VARIABLE.findall(span)}
        named |= {name for block in page.blocks if block.kind == "text" for name in VARIABLE.findall("\n".join(block.lines))}
        assert named - set(KNOWN) - set(CONNECTION) == set()

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_files(self, page: Page) -> None:
        """A name that ends like one of ours is one."""
        named = {name for span in page.spans() for name in FILE.findall(span)}
        assert named - {file.name for file in FILES} - OTHER_FILES == set()

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_places_in_the_project(self, page: Page) -> None:
        """A path into the project leads somewhere."""
        named = {name for span in page.spans() for name in PLACE.findall(span.replace("\\", "/"))}
        assert [name for name in named if not (ROOT / name).exists() and name not in MADE_BY_PEOPLE] == []

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_commands_and_their_options(self, page: Page) -> None:
        """A command that is written down can be typed, with these options."""
        options = {
            command.words: {name for option in command.options for name in option.names} | {"--help"} for command in commands()
        }
        for span in page.spans():
            if found := COMMAND.search(span):
                assert found[1] in options, span
                assert set(OPTION.findall(found[2])) <= options[found[1]], span
            elif span.startswith("-"):
                known = set().union(*options.values(), SCRIPT_OPTIONS)
                assert span.split()[0] in known, span

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_make_targets(self, page: Page) -> None:
        """A target that is written down exists."""
        named = {name for span in page.spans() for name in re.findall(r"(?:^|\s)make ([a-z-]+)", span)}
        assert named - set(targets()) == set()

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_words(self, page: Page) -> None:
        """A reason, a column, a key, a mode."""
        named = {span for span in page.spans() if WORD.fullmatch(span)}
        assert named - _words_that_mean_something() == set()

    @pytest.mark.parametrize("page", PAGES, ids=_name)
    def test_pages(self, page: Page) -> None:
        """A link leads to a page, and to a heading of it where it names one."""
        for link in page.links:
            place, _, anchor = link.partition("#")
            target = (page.path.parent / place).resolve() if place else page.path
            assert target.exists(), link
            assert not anchor or anchor in Page.read(target).anchors, link


MADE_BY_PEOPLE = {"scripts/vps.local.env", "vps/systemd/spelar-agent.env"}
"""Files that the guide tells people to make."""


def _worked_out(node: ast.expr) -> Decimal:
    """A formula of numbers, the four operators, `**` and min."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return Decimal(str(number))
        case ast.BinOp(left=left, op=operation, right=right):
            one, other = _worked_out(left), _worked_out(right)
            match operation:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div():
                    return one / other
        case ast.Call(func=ast.Name(id="min"), args=args):
            return min(map(_worked_out, args))
    raise AssertionError(ast.dump(node))


@pytest.mark.parametrize("step", [step for example in EXAMPLES.values() for step in example()], ids=lambda step: step.formula)
def test_a_worked_example_comes_to_what_it_says(step: Step) -> None:
    """The working, done by hand, gives what the domain's functions gave."""
    by_hand = _worked_out(ast.parse(step.formula, mode="eval").body)
    assert by_hand == pytest.approx(Decimal(step.comes_to), abs=Decimal("0.003"))


def _example_strategy() -> dict[str, object]:
    page = Page.read(DOCS / "en/write-a-strategy.md")
    (block,) = (block for block in page.blocks if block.kind == "python")
    names: dict[str, object] = {}
    exec("\n".join(block.lines), names)
    return names


def test_the_strategy_of_the_guide_trades() -> None:
    """It buys what fell, and sells it after its time."""
    make = _example_strategy()["pm_dip"]
    assert callable(make)
    strategy = make(1.0, 30.0)
    assert isinstance(strategy, Strategy)
    quotes = ["0.50/0.51"] * 6 + ["0.48/0.49"] * 5
    reports = Play(rules(strategy=strategy)).ticks(seen(15 * n, quote, step="0.01") for n, quote in enumerate(quotes))
    trades = [(number, trade.action) for number, report in enumerate(reports) for trade in report.trades]
    assert trades[:2] == [(6, TradeAction.BUY), (8, TradeAction.SELL)]
    assert len(reading([(0.0, 0.5)]).history) == len(History()) + 1


def test_the_example_map_of_the_guide_can_be_read(tmp_path: Path) -> None:
    """As it stands."""
    (block,) = (block for block in Page.read(DOCS / "en/files.md").blocks if block.kind == "json")
    (entry,) = MarketMap.model_validate_json("\n".join(block.lines)).markets
    assert entry.polymarket.outcome == "Yes"
