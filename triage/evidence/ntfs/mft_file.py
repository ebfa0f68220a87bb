"""A $MFT that was copied out of its volume, as collection tools do: names, sizes and times without the content."""

from __future__ import annotations

from artefacts.coverage import Problem, Unrecognised
from triage.evidence.model import ByteSource, Entry, Run
from triage.evidence.ntfs.boot import RECORD_SIZES, Geometry
from triage.evidence.ntfs.listing import CHUNK, Listing
from triage.evidence.ntfs.mft import Mft
from triage.evidence.ntfs.paths import Paths
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.table import Table

_NO_LIMIT = 1 << 48  # clusters: the volume's size is not known


class MftFile:
    """The columns of a lone $MFT. Offsets of content mean nothing without the volume, so entries have no runs."""

    def __init__(self, table: Table, listing: Listing, problems: ProblemLog) -> None:
        self.table, self.listing, self._log = table, listing, problems

    @property
    def problems(self) -> list[Problem]:
        """What could not be read."""
        return self._log.list()

    def entries(self) -> list[Entry]:
        """Every entry, as ``NtfsFilesystem.entries`` gives them; of deleted ones only resident content is known to be recoverable."""
        found = [entry for start in range(0, len(self.listing), CHUNK) for entry in self.listing.entries(start, start + CHUNK)]
        for entry in found:
            entry.runs, entry.first_offset = None, -1
        return found


def read_mft_file(data: ByteSource) -> MftFile:
    """Decode ``data``, the content of a $MFT. Raises ``Unrecognised`` where it does not begin with a file record."""
    head = data.read_at(0, 32)
    size = int.from_bytes(head[28:32], "little")
    if head[:4] not in (b"FILE", b"BAAD") or size not in RECORD_SIZES:
        raise Unrecognised("not a $MFT: it does not begin with a file record")
    problems = ProblemLog()
    if data.size % size:
        problems.add(f"the file ends inside a record of {size} bytes", f"offset={data.size // size * size}")
    geometry = Geometry(512, 1, size, 4096, 0, 0, _NO_LIMIT, 0)
    table = Mft(data, [Run(0, data.size)], data.size, geometry, problems).table(volume=False)
    return MftFile(table, Listing(table, Paths(table, problems), 1, None, problems), problems)
