"""Files of a case that appear whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from triage.casefolder import CaseFile, CaseFolder


def part(path: CaseFile) -> CaseFile:
    """Where ``replacing`` writes until all is there."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def replacing(path: CaseFile) -> Iterator[BinaryIO]:
    """A file to write, put in the place of ``path`` in one step once the block ends well; left behind nowhere if it does not."""
    unfinished = part(path)
    try:
        with unfinished.open("wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def sha256(path: CaseFile) -> str:
    """SHA-256 of a file as it can be read back, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()


def temporary(folder: CaseFolder) -> IO[str]:
    """A text file for what does not fit in memory, written once, then read from its beginning, gone when closed. It lies in ``folder``, never
    where the system has such files, and is encrypted where the case is."""
    from triage.report.sealing import SealedCase

    if isinstance(folder, SealedCase):
        return io.TextIOWrapper(folder.temporary(), encoding="utf-8", newline="\n")
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=str(folder), prefix=".sort-")
