"""7-Zip archives, read by py7zr, which hands over the members as it unpacks them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text.kinds import worth_unpacking
from triage.scan.text.parts import MAX_RATIO, RATIO_FROM, Budget, Member, Part, Text, size_of

_HEAD = 4096


class _Enough(Exception):
    """No more may come out of the archive."""


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The members, and the names of all of them."""
    import py7zr
    from py7zr.exceptions import PasswordRequired

    packed = size_of(stream)
    try:
        archive = py7zr.SevenZipFile(stream)
    except PasswordRequired:
        yield Problem("its list of members is encrypted", Status.ENCRYPTED)
        return
    except MemoryError:
        raise
    except Exception as error:  # it raises whatever lzma, struct, EOFError … say of a damaged header
        yield Problem(f"is damaged: {str(error) or type(error).__name__}")
        return
    members = [info for info in archive.list() if not info.is_directory]
    for info in members:
        if not budget.member():
            yield Problem(budget.spent)
            return
        yield Text(info.filename, info.filename, "name")
    if archive.needs_password():
        yield Problem(f"its {len(members)} members are encrypted", Status.ENCRYPTED)
        return
    made = _writers(packed, budget)
    reason = ""
    try:
        archive.extract(factory=made)
    except _Enough as error:
        reason = str(error)
    except MemoryError:
        raise
    except Exception as error:
        reason = f"cannot be unpacked to its end: {str(error) or type(error).__name__}"
    for writer in made.writers:
        if writer.data:
            yield Member(writer.name, bytes(writer.data))
    if reason:
        yield Problem(reason)


def _writers(packed: int, budget: Budget) -> Any:
    from py7zr.io import Py7zIO, WriterFactory

    total = 0

    class Writer(Py7zIO):  # type: ignore[misc]
        """Keeps a member if it is worth reading."""

        def __init__(self, name: str) -> None:
            self.name, self.data = name, bytearray()
            self._size = 0
            self._wanted: bool | None = None

        def write(self, s: bytes | bytearray) -> int:
            nonlocal total
            total += len(s)
            self._size += len(s)
            budget.took(len(s))
            if budget.spent:
                raise _Enough(budget.spent)
            if total > RATIO_FROM and total > MAX_RATIO * max(packed, 1):
                self.data.clear()
                raise _Enough(f"grows more than {MAX_RATIO} times when it is unpacked: taken for a bomb and left")
            if self._wanted is None:
                self._wanted = budget.everything or worth_unpacking(bytes(s[:_HEAD]))
            if self._wanted:
                self.data += s
            return len(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            return None

        def size(self) -> int:
            return self._size

    class Writers(WriterFactory):  # type: ignore[misc]
        def __init__(self) -> None:
            self.writers: list[Writer] = []

        def create(self, filename: str) -> Writer:
            self.writers.append(Writer(filename))
            return self.writers[-1]

    return Writers()
