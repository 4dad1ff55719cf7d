"""The browser, one for the whole run, and the data that most tests look at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web import states
from tests.web.agent import Agent, past
from tests.web.browser import ARGUMENTS, CHROMIUM, NO_CHROMIUM


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's chromium, without a window and with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS), headless=True)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an agent that has traded for an hour, and a replay beside them; nobody changes them."""
    data = tmp_path_factory.mktemp("played") / "data"
    Agent(data, past())
    states.with_replay(data)
    return data


@pytest.fixture
def data(played: Path, tmp_path: Path) -> Path:
    """The same files, to be changed."""
    return Path(shutil.copytree(played, tmp_path / "data"))
