"""A small piece of evidence held in memory, for the tests of any artefact."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import BinaryIO

import pytest

from artefacts.coverage import Problem
from artefacts.observations import Observation
from artefacts.registry import Parser

_USER = re.compile(r"^/(?:Users|home|Documents and Settings)/([^/]+)/")


class MemoryFile:
    """An ``EvidenceFile`` of ``MemoryEvidence``."""

    def __init__(self, evidence: MemoryEvidence, path: str, allocated: bool = True) -> None:
        self._evidence = evidence
        self.path = path
        self.allocated = allocated

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def size(self) -> int:
        return len(self._evidence.contents[self.path])

    @property
    def user(self) -> str | None:
        found = _USER.match(self.path)
        return found[1] if found else None

    def open(self) -> BinaryIO:
        return io.BytesIO(self._evidence.contents[self.path])

    def read(self, limit: int) -> bytes:
        return self._evidence.contents[self.path][:limit]

    def sibling(self, name: str) -> MemoryFile | None:
        path = normpath(f"{self.path.rsplit('/', 1)[0]}/{name}")
        return MemoryFile(self._evidence, path) if path in self._evidence.contents else None

    def siblings(self, folder: str = "") -> Sequence[MemoryFile]:
        place = normpath(f"{self.path.rsplit('/', 1)[0]}/{folder}") + "/"
        inside = (path for path in sorted(self._evidence.contents) if path.startswith(place))
        return [MemoryFile(self._evidence, path) for path in inside if "/" not in path[len(place) :]]

    def folder(self, reference: str) -> str | None:
        return self._evidence.folders.get(reference)

    def names(self, reference: str) -> Sequence[str] | None:
        return self._evidence.names.get(reference, ()) if self._evidence.names is not None else None


class MemoryEvidence:
    """Files by path (``/Users/jo/…``) with their bytes; ``file(path)`` gives one as an ``EvidenceFile``.

    ``folders``: paths of folders by the references that a journal has for them; ``names``: of files that are still there."""

    def __init__(
        self, contents: Mapping[str, bytes], folders: Mapping[str, str] | None = None, names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.contents = dict(contents)
        self.folders = dict(folders or {})
        self.names = names

    @classmethod
    def of_folder(cls, folder: Path, prefix: str = "") -> MemoryEvidence:
        """Every file below ``folder``, under ``prefix`` (``/home/jo/.config/chromium``)."""
        return cls(
            {f"{prefix}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        )

    def file(self, path: str) -> MemoryFile:
        if path not in self.contents:
            raise FileNotFoundError(path)
        return MemoryFile(self, path)

    def parse(self, parser: Parser, path: str) -> tuple[list[Observation], list[Problem]]:
        """What ``parser`` makes of the file at ``path``: its observations and its problems, each in order."""
        results = list(parser(self.file(path)))
        return [item for item in results if isinstance(item, Observation)], [item for item in results if isinstance(item, Problem)]


@pytest.fixture
def evidence() -> type[MemoryEvidence]:
    """The class: ``evidence({"/Users/jo/file": b"…"}).file("/Users/jo/file")`` is an ``EvidenceFile``."""
    return MemoryEvidence


@pytest.fixture
def mutations() -> Callable[[bytes, int], list[bytes]]:
    """``mutations(data, count)``: the same damaged copies on every run: cut short, bytes flipped, ranges of zeros or noise."""

    def make(data: bytes, count: int) -> list[bytes]:
        import random

        out = []
        for seed in range(count):
            rng = random.Random(seed)
            copy = bytearray(data)
            kind = seed % 4
            if kind == 0:
                del copy[rng.randrange(len(copy)) :]
            elif kind == 1:
                for _ in range(rng.choice((1, 8, 64, 512))):
                    copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
            else:
                start = rng.randrange(len(copy))
                length = min(rng.choice((16, 512, 4096)), len(copy) - start)
                copy[start : start + length] = bytes(length) if kind == 2 else rng.randbytes(length)
            out.append(bytes(copy))
        return out

    return make
