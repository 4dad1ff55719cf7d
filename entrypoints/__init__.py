"""Entrypoints: settings, container, the tick, the daemon and the command line."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("spelar")
except PackageNotFoundError:  # run from a checkout that was not installed
    VERSION = "0+unknown"
