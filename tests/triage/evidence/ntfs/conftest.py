"""What the tests of the NTFS reader share: a pytsk3 walk to compare with, and volumes made with the system's tools."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from triage.evidence.bytesource import FileBytes, SliceBytes
from triage.evidence.model import Entry
from triage.evidence.ntfs.filesystem import NtfsFilesystem

NS = 1_000_000_000


class Row(NamedTuple):
    """One entry as both readers are compared by."""

    path: str
    address: str
    size: int
    allocated: bool
    modified: int | None
    accessed: int | None
    changed: int | None
    created: int | None

    @classmethod
    def of(cls, entry: Entry) -> Row:
        return cls(
            entry.path, entry.address, entry.size, entry.allocated, entry.modified, entry.accessed, entry.changed, entry.created
        )  # fmt: skip


class TskWalk(NamedTuple):
    """``rows``: names whose record is theirs. ``names``: (path, inode) of deleted names whose record is somebody else's or unread."""

    rows: set[Row]
    names: set[tuple[str, int]]


def walk_with_tsk(image: Path, offset: int = 0) -> TskWalk:
    """Everything pytsk3 lists from the root, orphans included."""
    pytsk3 = pytest.importorskip("pytsk3")
    fs = pytsk3.FS_Info(pytsk3.Img_Info(str(image)), offset=offset)
    rows: set[Row] = set()
    names: set[tuple[str, int]] = set()
    stack = [(int(fs.info.root_inum), "")]
    done: set[tuple[int, str]] = set()
    while stack:
        inode, prefix = stack.pop()
        if (inode, prefix) in done or prefix.count("/") > 60:
            continue
        done.add((inode, prefix))
        try:
            directory = fs.open_dir(inode=inode)
        except OSError:
            continue
        for file in directory:
            name, meta = file.info.name, file.info.meta
            text = name.name.decode("utf-8", "replace")
            if text in (".", ".."):
                continue
            path = f"{prefix}/{text}"
            number = int(name.meta_addr)
            if prefix == "" and text == "$OrphanFiles":
                stack.append((number, path))
                continue
            if meta is None and prefix.startswith("/$OrphanFiles"):
                file = fs.open_meta(inode=number)
                meta = file.info.meta
            gone = bool(int(name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC))
            if meta is None or (gone and bool(int(meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC))):
                names.add((path, number))
                with suppress(OSError):
                    if int(fs.open_meta(inode=number).info.meta.type) == int(pytsk3.TSK_FS_META_TYPE_DIR) and meta is None:
                        stack.append((number, path))
                continue
            times = [
                int(seconds) * NS + int(nano) if int(seconds) else None
                for seconds, nano in (
                    (meta.mtime, meta.mtime_nano), (meta.atime, meta.atime_nano), (meta.ctime, meta.ctime_nano), (meta.crtime, meta.crtime_nano)
                )
            ]  # fmt: skip
            found = False
            for attribute in file:
                kind = int(attribute.info.type)
                label = (attribute.info.name or b"").decode("utf-8", "replace")
                if kind not in (128, 144):
                    continue
                found = True
                full = path if not label or label == "$I30" else f"{path}:{label}"
                rows.add(Row(full, f"{number}-{kind}-{int(attribute.info.id)}", int(attribute.info.size), not gone, *times))
            if not found:
                rows.add(Row(path, str(number), 0, not gone, *times))
            if int(meta.type) == int(pytsk3.TSK_FS_META_TYPE_DIR):
                stack.append((number, path))
    return TskWalk(rows, names)


@contextmanager
def opened(image: Path, offset: int = 0, length: int | None = None) -> Iterator[NtfsFilesystem]:
    """The volume at ``offset`` of ``image``."""
    data = FileBytes(image)
    fs = NtfsFilesystem(SliceBytes(data, offset, data.size - offset if length is None else length))
    try:
        yield fs
    finally:
        fs.close()
        data.close()


def listed(fs: NtfsFilesystem) -> list[Entry]:
    """Every entry."""
    return [entry for batch in fs.entries() for entry in batch]


def _load_images() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "benchmarks" / "ntfs_images.py"
    spec = importlib.util.spec_from_file_location("ntfs_images", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ntfs_images"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The writer of NTFS structures: ``tests/benchmarks/ntfs_images.py``."""
    return _load_images()


@pytest.fixture(scope="session")
def tsk_walk() -> Callable[..., TskWalk]:
    """``walk_with_tsk``."""
    return walk_with_tsk


@pytest.fixture(scope="session")
def ntfs() -> Callable[..., object]:
    """``opened``."""
    return opened


@pytest.fixture(scope="session")
def entries_of() -> Callable[..., list[Entry]]:
    """``listed``."""
    return listed


@pytest.fixture(scope="session")
def same_as_tsk() -> Callable[..., None]:
    """Assert that a listing holds all The Sleuth Kit finds, and what it finds beyond that is of the kinds allowed."""

    def compare(image: Path, entries: list[Entry], offset: int = 0) -> None:
        walk = walk_with_tsk(image, offset)
        ours = {Row.of(entry) for entry in entries}
        assert walk.rows - ours == set()
        # A deleted name whose record is somebody else's by now: The Sleuth Kit gives it without the record or with a wrong one.
        # An old copy of an entry that lost its reference is left out here where the file stands under the same path anyway.
        paths = {entry.path for entry in entries}
        assert {path for path, _ in walk.names} - paths == set()
        known = {(path, inode) for path, inode in walk.names}
        # It takes no name from the unused part of an index whose times are later than 2020.
        ours -= {Row.of(entry) for entry in entries if "index" in entry.flags and not entry.allocated}
        for row in ours - walk.rows:
            main = row.path if (row.path, _inode(row)) in known else row.path.rpartition(":")[0]
            assert (main, _inode(row)) in known, row

    return compare


def _inode(row: Row) -> int:
    return int(row.address.split("-")[0] or 0)
