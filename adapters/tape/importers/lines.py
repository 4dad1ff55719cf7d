"""Files of JSON lines or CSV rows, plain or gzip: each row with its line, and a break before the end as a warning."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.simulated_venues.frames import RecordingInvalid
from adapters.wire_numbers import no_constant


class LineModel(BaseModel):
    """The shape of one line; what else stands in it is its writer's business."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


M = TypeVar("M", bound=LineModel)
Row = dict[str, object]
BROKEN = (OSError, EOFError, zlib.error, UnicodeError)


def json_rows(path: Path, warnings: list[str]) -> Iterator[tuple[int, Row]]:
    """The objects of a file with their line numbers; numbers stay the texts that they are.

    Where the file breaks off or a line is no JSON object the reading ends, with a line in `warnings`.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                row = json.loads(line, parse_float=str, parse_int=str, parse_constant=no_constant)
                if not isinstance(row, dict):
                    raise ValueError("not an object")
                if "\\u" in line:  # half of a surrogate pair is no text: nothing can be written of it
                    json.dumps(row, ensure_ascii=False).encode()
                yield number, row
    except FileNotFoundError:
        raise RecordingInvalid(path, 0, "cannot be read (No such file or directory)") from None
    except BROKEN as error:
        warnings.append(f"{path} breaks off after line {number} ({error})")
    except (ValueError, RecursionError) as error:
        warnings.append(f"{path}, line {number} is broken ({error}); it is read up to there")


def rows_of(model: type[M], path: Path, warnings: list[str]) -> Iterator[tuple[int, M]]:
    """The objects of a file as this model, with their line numbers. Raises `RecordingInvalid` for one that is none."""
    for number, row in json_rows(path, warnings):
        try:
            yield number, model.model_validate(row)
        except ValidationError as error:
            found = error.errors()[0]
            raise RecordingInvalid(path, number, f"{'.'.join(map(str, found['loc']))}: {found['msg']}") from None


def csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers. Raises `RecordingInvalid`, also for a row that is too short."""
    try:
        with _opened(path) as file:
            for row in (reader := csv.DictReader(file)):
                if None in row.values():
                    raise RecordingInvalid(path, reader.line_num, "a cell is missing")
                yield reader.line_num, row
    except BROKEN as error:
        raise RecordingInvalid(path, 0, f"cannot be read ({error})") from error


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(TextIO, gzip.open(path, "rt", encoding="utf-8")) if packed else path.open(encoding="utf-8")
