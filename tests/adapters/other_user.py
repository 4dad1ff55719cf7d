"""What another user of the machine is told; only root can become one."""

import os
import sys
from collections.abc import Callable

import pytest

NOBODY = 65_534
can_become_another = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs a user to become")


def told_nobody(attempt: Callable[[], object], refusal: type[Exception]) -> str:
    """The text of the refusal that this meets in a process of the user nobody; empty where it meets none."""
    ear, mouth = os.pipe()
    if (child := os.fork()) == 0:
        os.setuid(NOBODY)
        try:
            attempt()
        except refusal as refused:
            os.write(mouth, str(refused).encode())
        finally:
            os._exit(0)
    os.close(mouth)
    with open(ear, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text
