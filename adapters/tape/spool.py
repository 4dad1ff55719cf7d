"""Rows on their way into a tape's files: gathered compactly, written in large pieces, so that long days need little memory."""

from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from adapters.tape.manifest import FileEntry, file_entry
from adapters.tape.schema import BATCH_ROWS, BOOKS, LEVELS_PREFIX, Column, arrow_schema

PACK_ROWS = 1_024
GROUP_ROWS = 65_536
PART_LEVELS = 262_144
"""Levels of a token in memory before a part of them is written."""

COMPRESSION = "zstd"
LEVELS_COMPRESSION = "lz4"
"""As fast to read as no compression at a fifth of the space; zstd takes half of that again, and twice the time."""

ENCODINGS = {pa.int64(): "DELTA_BINARY_PACKED", pa.int32(): "DELTA_BINARY_PACKED", pa.float64(): "BYTE_STREAM_SPLIT"}
"""Times and prices go on in small steps: so encoded they take a tenth of the space and a quarter of the time to read."""


class Spool:
    """Rows of one table. Packed a thousand at a time, they take a tenth of the memory of their Python values."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        """Nothing gathered yet."""
        self._schema = arrow_schema(columns)
        self._loose: list[tuple[object, ...]] = []
        self._packed: list[pa.RecordBatch] = []
        self.rows = 0

    def add(self, *row: object) -> None:
        """Take one row, in the order of the columns."""
        self._loose.append(row)
        self.rows += 1
        if len(self._loose) == PACK_ROWS:
            self._pack()

    def taken(self) -> pa.Table:
        """All rows gathered; the spool is empty then."""
        if self._loose:
            self._pack()
        table = pa.Table.from_batches(self._packed, self._schema)
        self._packed, self.rows = [], 0
        return table

    def _pack(self) -> None:
        columns = zip(zip(*self._loose, strict=True), self._schema, strict=True)
        arrays = [pa.array(column, field.type) for column, field in columns]
        self._packed.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._loose = []


class ParquetRows:
    """A Parquet file that grows row by row. Nothing is opened before there is a whole row group, or the end."""

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        """Grow at this path."""
        self.path = path
        self._spool = Spool(columns)
        self._schema = arrow_schema(columns)
        self._writer: pyarrow.parquet.ParquetWriter | None = None
        self._rows = 0

    def add(self, *row: object) -> None:
        """Take one row."""
        self._spool.add(*row)
        if self._spool.rows == GROUP_ROWS:
            self._write()

    def close(self) -> FileEntry:
        """Write what is left and finish the file, which may be empty."""
        self._write().close()
        return file_entry(self.path, self._rows)

    def _write(self) -> pyarrow.parquet.ParquetWriter:
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            encodings = {field.name: ENCODINGS[field.type] for field in self._schema if field.type in ENCODINGS}
            self._writer = pyarrow.parquet.ParquetWriter(
                self.path,
                self._schema,
                compression=COMPRESSION,
                use_dictionary=[name for name in self._schema.names if name not in encodings],
                column_encoding=encodings,
            )
        self._rows += self._spool.rows
        self._writer.write_table(self._spool.taken())
        return self._writer


class BookParts:
    """The whole books of one token and day, in parts that are each finished at once: no file stays open."""

    def __init__(self, directory: Path, first_row: int) -> None:
        """Write the parts into this directory; rows are counted from `first_row` on."""
        self._directory = directory
        self._spool = Spool(BOOKS)
        self._levels = 0
        self._written = first_row
        self.files: dict[Path, FileEntry] = {}

    def add(self, *row: object, levels: int) -> int:
        """Take one book of so many levels; the number of its row."""
        self._spool.add(*row)
        self._levels += levels
        number = self.next_row - 1
        if self._levels >= PART_LEVELS:
            self.flush()
        return number

    @property
    def next_row(self) -> int:
        """The number that the next book's row will have."""
        return self._written + self._spool.rows

    def flush(self) -> None:
        """Write the books gathered as a part of their own."""
        rows = self._spool.rows
        if not rows:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{LEVELS_PREFIX}{self._written:08d}.arrow"
        options = pa.ipc.IpcWriteOptions(compression=LEVELS_COMPRESSION)
        with pa.ipc.new_file(path, arrow_schema(BOOKS), options=options) as file:
            file.write_table(self._spool.taken().combine_chunks(), max_chunksize=BATCH_ROWS)
        self.files[path] = file_entry(path, rows)
        self._written += rows
        self._levels = 0
