"""Partition tables: which scheme a disk has, its partitions, and what is wrong with the table."""

from __future__ import annotations

from triage.evidence.bytesource import SliceBytes
from triage.evidence.model import ByteSource
from triage.evidence.partitions import apm, bsd, gpt, mbr
from triage.evidence.partitions.table import MAX_PARTITIONS, Partition, PartitionTable

__all__ = ["MAX_PARTITIONS", "Partition", "PartitionTable", "read_partitions"]


def read_partitions(data: ByteSource, sector: int | None = None, base: int = 0) -> PartitionTable | None:
    """The partition table at the start of ``data``, or None where there is none.

    ``sector`` is the sector size the container or device states, if it does; 512 and 4096 are tried besides. ``base`` is where
    ``data`` starts on its disk, in bytes (for disklabels inside a partition). A damaged table is returned as far as it makes sense,
    with ``problems``. Never raises for what the bytes hold.
    """
    sectors = tuple(dict.fromkeys(size for size in (sector, 512, 4096) if size))

    def known_content(offset: int) -> bool:
        if mbr.is_boot_sector(data.read_at(offset, 512)):
            return True
        from triage.evidence.filesystems import identify  # reads signatures only

        return offset < data.size and identify(SliceBytes(data, offset, data.size - offset)) is not None

    table = gpt.read(data, sectors)
    if table is not None and table.protected:
        return table
    other = mbr.read(data, sectors, known_content)
    if table is not None and other is not None:
        # UEFI 2.10, 5.2.3: without a protective MBR a GPT is not valid. A disk that was given an MBR later often keeps the old GPT.
        other.problem(f"a GPT with {len(table.partitions)} partitions is left over beside the MBR; the MBR was used", table.sector)
    return other or table or apm.read(data) or bsd.read(data, base) or _read_sun(data)


def _read_sun(data: ByteSource) -> PartitionTable | None:
    """A Sun or Solaris label, which The Sleuth Kit reads well enough."""
    if data.read_at(508, 2) != b"\xda\xbe" and data.read_at(512 + 12, 4) != b"\xee\xde\x0d\x60":
        return None
    import pytsk3

    from triage.evidence.tsk_image import TskImage

    try:
        label = pytsk3.Volume_Info(TskImage(data), pytsk3.TSK_VS_TYPE_SUN)
    except OSError:
        return None
    table = PartitionTable("sun", label.info.block_size)
    for part in label:
        if int(part.flags) & int(pytsk3.TSK_VS_PART_FLAG_ALLOC) and len(table.partitions) < MAX_PARTITIONS:
            words = part.desc.decode("utf-8", "replace")
            number = len(table.partitions) + 1
            table.partitions.append(Partition(number, part.start * table.sector, part.len * table.sector, "sun", words, words))
    return table
