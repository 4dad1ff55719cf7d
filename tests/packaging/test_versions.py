"""One number: it stands in pyproject.toml, and whoever tells a version tells that one."""

import re
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from entrypoints import VERSION
from entrypoints.cli import app

ROOT = Path(__file__).resolve().parents[2]
RELEASE = re.compile(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
"""How Keep a Changelog sorts what changed."""


class BuildSystem(BaseModel):
    """What builds the project."""

    requires: list[str]


class Project(BaseModel):
    """What the project says of itself."""

    version: str


class PyProject(BaseModel):
    """The parts of pyproject.toml that other files repeat."""

    build_system: BuildSystem = Field(alias="build-system")
    project: Project


@pytest.fixture
def pyproject() -> PyProject:
    """The file as it is."""
    return PyProject.model_validate(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


@pytest.fixture
def changelog() -> str:
    """The file as it is."""
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_program_and_its_command_tell_the_version_of_the_project(pyproject: PyProject) -> None:
    """Where this fails alone, the environment is older than the file: install again."""
    said = CliRunner().invoke(app, ["--version"])
    assert (VERSION, said.output, said.exit_code) == (pyproject.project.version, f"spelar {VERSION}\n", 0)


def test_the_newest_version_of_the_changelog_is_that_of_the_project(pyproject: PyProject, changelog: str) -> None:
    """What is not released yet stands above it."""
    newest = RELEASE.findall(changelog)[0]
    assert ".".join(newest[:3]) == pyproject.project.version


def test_the_changelog_goes_from_the_newest_version_to_the_oldest(changelog: str) -> None:
    """By number and by day."""
    releases = [(tuple(map(int, parts)), date.fromisoformat(day)) for *parts, day in RELEASE.findall(changelog)]
    assert all(newer[0] > older[0] and newer[1] >= older[1] for newer, older in pairwise(releases))


def test_the_changelog_has_the_headings_of_its_form_and_no_others(changelog: str) -> None:
    """`[Unreleased]`, then versions with their day; below them the six kinds of change."""
    unreleased, *versions = re.findall(r"^## .*$", changelog, re.MULTILINE)
    assert unreleased == "## [Unreleased]"
    assert len(versions) == len(RELEASE.findall(changelog))
    assert set(re.findall(r"^### (.*)$", changelog, re.MULTILINE)) <= KINDS


def test_what_builds_the_project_is_pinned(pyproject: PyProject) -> None:
    """The container builds with this lock."""
    lock = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
    assert set(pyproject.build_system.requires) <= set(re.findall(r"^([a-z-]+)==", lock, re.MULTILINE))
