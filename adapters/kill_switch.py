"""The kill switch: a file whose presence stops entries and adds. Exits go on."""

from pathlib import Path


class KillSwitch:
    """Looks at one path. A place that cannot be looked at counts as a pulled switch."""

    def __init__(self, path: Path | None) -> None:
        """Watch this path; None: there is no switch."""
        self._path = path

    def pulled(self) -> bool:
        """Whether entries and adds must stop."""
        if self._path is None:
            return False
        try:
            self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True
