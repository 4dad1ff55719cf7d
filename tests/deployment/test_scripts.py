"""The scripts that bring spelar to a server: two shells with the same options and one list of files, and no secrets in them."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from adapters.portal.schema import FILES
from entrypoints.cli import ALREADY_RUNNING, CONFIGURATION, LEDGER_INVALID, LEDGER_UNWRITABLE
from entrypoints.keys import VALUES
from tests.deployment.debian import LOCKS, ROOT

SCRIPTS = ("upload-to-vps", "deploy-vps-env-and-restart", "sync-vps-stats")
POWERSHELL = (*SCRIPTS, "connection")


def text_of(path: str) -> str:
    """A file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def listed(kind: str) -> list[str]:
    """The paths of a kind in the list."""
    lines = [line.split() for line in text_of("scripts/files.txt").splitlines() if not line.startswith("#")]
    return [path for each, path in lines if each == kind]


@cache
def parsed(name: str) -> tree_sitter.Node:
    """The tree of a PowerShell script."""
    language = tree_sitter.Language(tree_sitter_powershell.language())
    return tree_sitter.Parser(language).parse((ROOT / f"scripts/{name}.ps1").read_bytes()).root_node


def nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from nodes(child)


def said(node: tree_sitter.Node) -> str:
    """A node's text."""
    return (node.text or b"").decode()


def parameters(name: str) -> dict[str, str]:
    """The parameters of a PowerShell script, and of which type each is."""
    block = next(node for node in parsed(name).children if node.type == "param_block")
    texts = [said(node) for node in nodes(block) if node.type == "script_parameter"]
    matches = [re.fullmatch(r"\[(\w+)\] \$(\w+)", text) for text in texts]
    return {match[2]: match[1] for match in matches if match}


def options(name: str) -> dict[str, str]:
    """The options of a bash script, spelt as PowerShell spells them."""
    valued, switches = re.findall(
        r"^options '([A-Z_ ]*)' (?:\\\n +)?'([A-Z_ ]*)'", text_of(f"scripts/{name}.sh"), re.MULTILINE
    )[0]
    kinds = {**dict.fromkeys(valued.split(), "string"), **dict.fromkeys(switches.split(), "switch")}
    return {variable.title().replace("_", ""): kind for variable, kind in kinds.items()}


def test_what_is_fetched_from_the_vps_are_the_files_that_the_agent_publishes() -> None:
    """Every one, in the order in which they are written: the manifest last."""
    assert listed("output") == [file.name for file in FILES]


def test_what_is_uploaded_is_what_the_install_builds_from() -> None:
    """The packages of the wheel, what its metadata reads, the locks, and the page; each is there, and none twice."""
    project = tomllib.loads(text_of("pyproject.toml"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = {*wheel.get("packages", ()), *wheel.get("only-include", ())} - {"web"}
    code = listed("code")
    needed = {*packages, project["project"]["readme"], "pyproject.toml", "scripts/files.txt", *LOCKS}
    page = {f"web/{path.name}" for path in (ROOT / "web").iterdir()} - {"web/data", "web/vendor"}
    assert set(code) == needed | page
    assert [path for path in code if not (ROOT / path).exists()] == []
    assert listed("extra") == ["web/vendor"]
    assert len(set(code)) == len(code)


@pytest.mark.parametrize("name", POWERSHELL)
def test_powershell_can_read_it(name: str) -> None:
    """By the language's grammar; in ASCII, which Windows' own PowerShell reads without a mark."""
    assert [f"line {node.start_point.row + 1}" for node in nodes(parsed(name)) if node.is_error or node.is_missing] == []
    assert text_of(f"scripts/{name}.ps1").isascii()


@pytest.mark.parametrize("name", SCRIPTS)
def test_both_shells_have_the_same_options(name: str) -> None:
    """-VpsHost is --vps-host and VPS_HOST in the local file; the usage text names each."""
    assert parameters(name) == options(name)
    usage = text_of(f"scripts/{name}.sh").split("# shellcheck", 1)[0]
    assert set(re.findall(r"--[a-z-]+", usage)) == {"-" + re.sub("([A-Z])", r"-\1", option).lower() for option in options(name)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_nobodys_host_user_or_password_is_a_default(name: str) -> None:
    """A bare command line asks, or reads the file that git ignores; a password is no parameter at all."""
    names = {*parameters(name), *(said(node) for node in nodes(parsed(name)) if node.type == "variable")}
    assert [each for each in names if re.search("password|secret|passphrase|credential", each, re.IGNORECASE)] == []
    assert "=" not in said(next(node for node in parsed(name).children if node.type == "param_block"))


def test_every_setting_of_the_local_file_is_an_option_and_the_other_way_round() -> None:
    """And the example gives away nothing."""
    settings = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text_of("scripts/vps.local.env.example"), re.MULTILINE))
    known = {option for name in SCRIPTS for option, kind in options(name).items() if kind == "string"}
    assert {name.title().replace("_", "") for name in settings} == known
    assert [name for name in settings if name.endswith(("HOST", "USER")) and settings[name]] == []


@pytest.mark.parametrize("script", ["connection.sh", "connection.ps1"])
def test_a_host_must_prove_who_it_is(script: str) -> None:
    """Every program of ssh's gets the same options, and none weakens them."""
    text = text_of(f"scripts/{script}")
    assert set(re.findall(r"StrictHostKeyChecking=\w+", text)) == {"StrictHostKeyChecking=yes"}
    assert "BatchMode=yes" in text
    others = "".join(text_of(f"scripts/{name}{suffix}") for name in SCRIPTS for suffix in (".sh", ".ps1"))
    assert not re.search(r"StrictHostKeyChecking|UserKnownHostsFile|^\s*(ssh|scp) ", others, re.MULTILINE)


def test_both_shells_say_the_same_commands_on_the_server() -> None:
    """What runs there as root is spelt once in each, and equally."""
    for name in SCRIPTS[:2]:
        commands = [
            re.findall(r"""['"]([^'"\n]*SUDO bash [^'"$]*)""", text_of(f"scripts/{name}{end}")) for end in (".sh", ".ps1")
        ]
        assert commands[0] == commands[1] != []


@pytest.mark.slow
def test_bash_finds_no_fault_in_the_shell_scripts() -> None:
    """By shellcheck; the files that are sourced are followed."""
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck (Debian: apt install shellcheck)")
    scripts = [*sorted(ROOT.glob("scripts/*.sh")), ROOT / "vps/install.sh", ROOT / "vps/spelar", ROOT / ".ci/run"]
    done = subprocess.run(["shellcheck", "-x", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def checked_by_systemd(tmp_path: Path, *arguments: str) -> str:
    """What systemd-analyze says about the unit, with a program in it that is there; empty when it has nothing to say."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze (Debian: apt install systemd)")
    unit = tmp_path / "spelar-agent.service"
    text = text_of("vps/systemd/spelar-agent.service").replace(
        "ExecStart=/opt/spelar_eu/.venv/bin/python ", "ExecStart=/bin/true "
    )
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", *arguments, str(unit)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 and "verify" not in arguments else f"{done.returncode} {done.stdout}{done.stderr}".strip()


@pytest.mark.slow
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """Without a word."""
    assert checked_by_systemd(tmp_path, "verify") == "0"


@pytest.mark.slow
def test_the_unit_is_hardly_exposed(tmp_path: Path) -> None:
    """An overall exposure of 1.5 at most, of 10."""
    assert checked_by_systemd(tmp_path, "security", "--offline=true", "--threshold=15") == ""


def test_the_unit_and_the_install_speak_of_the_same_places() -> None:
    """The user, the directories, the settings, the keys: what the unit names, the install makes."""
    unit, install = text_of("vps/systemd/spelar-agent.service"), text_of("vps/install.sh")
    directives = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    constants = dict(re.findall(r"(\w+)=(\S+)", install.split("readonly SOURCE", 1)[0]))
    assert directives["User"] == directives["Group"] == constants["SERVICE_USER"]
    assert directives["EnvironmentFile"] == constants["ENV_FILE"]
    assert directives["ReadWritePaths"] == constants["OUT_DIR"]
    assert f"/var/lib/{directives['StateDirectory']}" == directives["WorkingDirectory"] == constants["STATE"]
    assert directives["ExecStart"] == f"{constants['CODE']}/.venv/bin/python -m vps.vps_agent"
    keys = re.findall(r"^LoadCredential=(\w+):(.*)$", unit, re.MULTILINE)
    assert keys == [(venue, f"{constants['ETC']}/credentials/{venue}") for venue in ("kraken", "polymarket")]
    assert all(f'"$ETC/credentials/{venue}"' in install for venue, _ in keys)
    assert {name.split("_")[0].lower() for name, _ in VALUES.values()} == {venue for venue, _ in keys}
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", text_of("vps/systemd/spelar-agent.env.example"), re.MULTILINE))
    assert (example["OUT_DIR"], example["STATE_DIR"]) == (constants["OUT_DIR"], constants["STATE"])
    assert example["MARKET_MAP_PATH"] == f"{constants['ETC']}/market_map.json"


def test_systemd_restarts_what_hangs_or_dies_but_not_for_ever_and_keeps_no_core() -> None:
    """RELIABILITY's numbers: two minutes of silence, ten starts; a core would hold the keys."""
    unit = text_of("vps/systemd/spelar-agent.service").splitlines()
    assert {"Type=notify", "WatchdogSec=120", "Restart=on-failure", "StartLimitBurst=10", "LimitCORE=0"} <= set(unit)


def test_every_end_that_another_try_does_not_mend_is_final_for_systemd() -> None:
    """The codes of configuration and of a ledger that cannot be trusted; a lock or a disk may come free."""
    final = re.findall(r"^RestartPreventExitStatus=(.*)$", text_of("vps/systemd/spelar-agent.service"), re.MULTILINE)[0].split()
    assert set(final) == {str(CONFIGURATION), str(LEDGER_INVALID)}
    assert not set(final) & {str(ALREADY_RUNNING), str(LEDGER_UNWRITABLE)}
