"""What every kind of partition table is read into."""

from __future__ import annotations

from dataclasses import dataclass, field

from artefacts.coverage import Problem, Status

MAX_PARTITIONS = 1000
"""No real disk has more; a chain or table that claims more is damaged or hostile and is cut there, and said to be."""


@dataclass(slots=True)
class Partition:
    """A partition. ``offset`` and ``length`` in bytes of the region that holds the table.

    ``type`` as in the table: ``0x07`` (MBR), a GUID (GPT), ``Apple_HFS`` (APM), ``7`` (BSD). ``words`` says it in English.
    ``guid`` is the partition's own, where it has one. ``number`` is the slot, from 1 (MBR logical partitions from 5).
    """

    number: int
    offset: int
    length: int
    scheme: str
    type: str
    words: str
    name: str = ""
    guid: str | None = None

    @property
    def description(self) -> str:
        """One line for the report: type in words, type code, name, GUID."""
        parts = [f"{self.words} ({self.type})" if self.words != self.type else self.words]
        if self.name:
            parts.append(f"named “{self.name}”")
        if self.guid:
            parts.append(f"GUID {self.guid}")
        return ", ".join(parts)


@dataclass(slots=True)
class PartitionTable:
    """A partition table as read. ``also`` are partitions of a second table on the same disk that the first does not have; ``protected``
    is False for a GPT without the protective MBR that makes it valid. ``backup`` is the range (start, end) in bytes of the region that a
    second copy of the table takes up after the last partition."""

    scheme: str  # mbr, gpt, apm, bsd, sun
    sector: int
    partitions: list[Partition] = field(default_factory=list)
    also: list[Partition] = field(default_factory=list)
    protected: bool = True
    backup: tuple[int, int] | None = None
    facts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, reason: str, offset: int | None = None, status: Status = Status.FAILED) -> None:
        """Note something wrong with the table; ``offset`` in bytes says where."""
        self.problems.append(Problem(reason, status, "" if offset is None else f"offset={offset}"))
