"""Files of a case that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


def part(path: Path) -> Path:
    """Where ``replacing`` writes until all is there."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, put in the place of ``path`` in one step once the block ends well; left behind nowhere if it does not."""
    unfinished = part(path)
    try:
        with open(unfinished, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """SHA-256 of a file as it can be read back, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
