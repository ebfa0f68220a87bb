"""The case folder: where it may lie, and that only one program writes to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol


class CaseError(Exception):
    """The case folder cannot be used; the text says why in one line."""


JOURNAL = "journal.jsonl"
SEALED = "case.sealed"


class CaseFile(Protocol):
    """What is asked of a file of a case: a ``Path`` gives it, and so does a file of a sealed case (triage/report/sealing.py)."""

    @property
    def name(self) -> str: ...
    def open(self, mode: str, /) -> IO[Any]: ...
    def read_bytes(self) -> bytes: ...
    def exists(self) -> bool: ...
    def is_file(self) -> bool: ...
    def is_symlink(self) -> bool: ...
    def lstat(self) -> os.stat_result: ...
    def with_name(self, name: str) -> CaseFile: ...
    def replace(self, target: Any) -> CaseFile: ...
    def unlink(self, missing_ok: bool = False) -> None: ...


class CaseFolder(Protocol):
    """What is asked of a case folder."""

    @property
    def name(self) -> str: ...
    def __truediv__(self, key: str, /) -> CaseFile: ...


def there(file: CaseFile) -> bool:
    """Whether anything lies there, be it a link that leads nowhere."""
    try:
        file.lstat()
    except (OSError, ValueError):
        return False
    return True


def prepare(case: Path, sources: Iterable[tuple[Path, bool]], *, sealed: bool = False) -> bool:
    """Make the case folder ready; returns True if it holds a case already. ``sealed``: a case that is encrypted.

    ``sources`` are (path, live): output onto examined evidence is refused — inside a folder that is examined, and for a live machine or a
    device anywhere on the examined drive. Raises ``CaseError``.
    """
    case = case.absolute()
    resolved = case.resolve()
    why = objection(resolved, sources)
    if why is not None:
        raise CaseError(f"the case folder {case} {why}")
    try:
        case.mkdir(parents=True, exist_ok=True)
        probe = case / f".write-test-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CaseError(f"the case folder {case} cannot be written: {error.strerror or error}") from error
    if (case / (JOURNAL if sealed else SEALED)).exists():
        raise CaseError(
            f"the case in {case} is not encrypted, and stays so: go on without --seal-to, or choose a new folder"
            if sealed
            else f"the case in {case} is encrypted: go on with --seal-to and its passphrase, or choose a new folder"
        )
    if (case / (SEALED if sealed else JOURNAL)).exists():
        return True
    if any(case.iterdir()):
        raise CaseError(f"the folder {case} is not empty and holds no case: choose a new folder")
    return False


def objection(resolved: Path, sources: Iterable[tuple[Path, bool]]) -> str | None:
    """Why nothing of ours may be written below the folder ``resolved``, in words; None if it may. ``sources`` as in ``prepare``."""
    for source, live in sources:
        evidence = source.resolve()
        if resolved == evidence or (evidence.is_dir() and evidence in resolved.parents and not _is_root(evidence)):
            return f"lies inside the evidence {source}: choose a folder somewhere else"
        if live and _same_drive(resolved, evidence):
            return "lies on the drive that is to be examined: choose a folder on the stick"
    return None


def _is_root(path: Path) -> bool:
    return path.parent == path


def _same_drive(case: Path, evidence: Path) -> bool:
    existing = next(parent for parent in (case, *case.parents) if parent.exists())
    try:
        where = existing.stat().st_dev
        stat = evidence.stat()
    except OSError:
        return False
    import stat as modes

    if modes.S_ISBLK(stat.st_mode):
        # A whole disk and its partitions have different numbers: the disk that holds the case is looked up where Linux tells it.
        return where == stat.st_rdev or _disk(where) == _disk(stat.st_rdev)
    return where == stat.st_dev


def _disk(device: int) -> str:
    link = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if not link.exists():
        return f"{os.major(device)}:{os.minor(device)}"
    real = link.resolve()
    return (real.parent if (real / "partition").exists() else real).name


@contextmanager
def locked(case: Path, *, sealed: bool = False) -> Iterator[None]:
    """Hold the case for this process. Raises ``CaseError`` where another one has it. The lock ends with the process, however it ends."""
    path = case / (SEALED if sealed else JOURNAL)
    file = open(path, "ab")
    try:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0x7FFFFFF0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CaseError(f"another program is writing to the case {case}") from error
        yield
    finally:
        file.close()
