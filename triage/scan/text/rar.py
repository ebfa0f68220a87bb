"""RAR archives of every version, read by rars: no code of UnRAR's, and memory-safe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text.kinds import worth_unpacking
from triage.scan.text.parts import MAX_PACKED, MAX_RATIO, RATIO_FROM, Budget, Member, Part, Text, size_of

_DICTIONARY = 256 << 20


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The members, and the names of all of them. Sizes in the headers are not believed: output is limited by the library as it grows."""
    import rars

    if size_of(stream) > MAX_PACKED:
        yield Problem(f"is larger than {MAX_PACKED >> 20} MiB: not opened", Status.SKIPPED)
        return
    try:
        archive = rars.RarFile.from_bytes(stream.read(), options=_limits(budget))
        members = [member for member in archive.infolist() if not member.is_dir()]
    except rars.PasswordRequired:
        yield Problem("its list of members is encrypted", Status.ENCRYPTED)
        return
    except BaseException as error:
        yield Problem(f"is damaged: {_reason(error)}")
        return
    locked = [member for member in members if member.is_encrypted]
    if locked:
        reason = f"{len(locked)} of its {len(members)} members are encrypted, the first: {_name(locked[0])}"
        yield Problem(reason, Status.ENCRYPTED)
    for member in members:
        name = _name(member)
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        yield Text(name, name, "name")
        if member.is_encrypted:
            continue
        if member.is_split_before or member.is_split_after:
            yield Problem("goes on in another volume of the archive: not unpacked", locator=name)
            continue
        size, packed = member.file_size, member.compress_size
        # Of a solid archive the members before this one count as packed, too: only their sum is bounded, by the budget.
        if size > RATIO_FROM and size > MAX_RATIO * max(packed, 1) and not member.is_solid:
            yield Problem(f"grows more than {MAX_RATIO} times when it is unpacked: taken for a bomb and left", locator=name)
            continue
        try:
            data = archive.read(member, options=_limits(budget))
        except MemoryError:  # what the library raises at its limits
            yield Problem("is larger than what may still come out of this file: left", locator=name)
            continue
        except BaseException as error:
            yield Problem(f"a member cannot be unpacked: {_reason(error)}", locator=name)
            continue
        budget.took(len(data))
        if data and (budget.everything or worth_unpacking(data[:4096])):
            yield Member(name, data)


def _limits(budget: Budget) -> Any:
    import rars

    left = max(budget.left, 1)
    return rars.ReadOptions(
        max_member_output_bytes=left,
        max_total_output_bytes=left,
        rar50_dictionary_size_limit=_DICTIONARY,
        max_reader_workspace_bytes=_DICTIONARY,
    )


def _name(member: Any) -> str:
    return str(member.filename).replace("\\", "/")


def _reason(error: BaseException) -> str:
    # A panic of Rust code is no ``Exception``; what else is none is not this reader's to keep.
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error
    return str(error) or type(error).__name__
