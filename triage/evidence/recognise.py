"""Naming what was given instead of a disk: files that hold no volume, told by their first bytes, so that the reason can help."""

from __future__ import annotations

from triage.evidence.model import ByteSource

_DISK_FORMATS = (
    (b"LVF\x09\x0d\x0a\xff\x00", "this is a logical evidence file (L01), which holds files and no disk; export its files to a folder and scan that"),
    (b"LEF2\r\n\x81\x00", "this is a logical evidence file (Lx01), which holds files and no disk; export its files to a folder and scan that"),
    (b"ADSEGMENTEDFILE\0", "this is an AccessData logical image (AD1); export its files to a folder and scan that"),
    (b"AFF10\r\n\0", "this is an Advanced Forensic Format image (AFF); convert it to E01 or raw first"),
    (b"encrcdsa", "this is an encrypted Apple disk image; convert it to an unencrypted one first (hdiutil convert)"),
)  # fmt: skip

_ARCHIVES = (
    (b"PK\x03\x04", "a ZIP"), (b"PK\x05\x06", "a ZIP"), (b"7z\xbc\xaf\x27\x1c", "a 7-Zip"), (b"Rar!\x1a\x07", "a RAR"), (b"\x1f\x8b", "a gzip"),
    (b"BZh", "a bzip2"), (b"\xfd7zXZ\0", "an xz"), (b"\x28\xb5\x2f\xfd", "a Zstandard"), (b"MSCF", "a cabinet"),
    (b"MSWIM\0\0\0", "a Windows image (WIM)"), (b"\x04\x22\x4d\x18", "an LZ4"),
)  # fmt: skip

_FILES = (
    (b"FILE0", "a single NTFS $MFT"), (b"RSTR", "a single NTFS $LogFile"), (b"regf", "a Windows registry hive"), (b"ElfFile\0", "a Windows event log"),
    (b"SQLite format 3\0", "an SQLite database"), (b"%PDF-", "a PDF document"), (b"\xff\xd8\xff", "a JPEG picture"), (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"), (b"MZ", "a Windows program"), (b"\x7fELF", "a Linux program"), (b"RIFF", "a RIFF sound, picture or video file"),
    (b"\x1a\x45\xdf\xa3", "a Matroska video"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE document"), (b"bplist00", "a property list"),
    (b"PMDUMP64", "a memory dump"), (b"PAGEDU64", "a memory dump"), (b"EMiL", "a memory dump"), (b"\xd4\xc3\xb2\xa1", "a network capture"),
    (b"\x0a\x0d\x0d\x0a", "a network capture"),
)  # fmt: skip


def name_file(data: ByteSource) -> str | None:
    """What a file without volumes is, as a sentence that says what to do instead; None where nothing is recognised."""
    head = data.read_at(0, 4096)
    for magic, sentence in _DISK_FORMATS:
        if head.startswith(magic):
            return sentence
    if data.read_at(max(0, data.size - 512), 8) == b"cdsaencr":
        return "this is an encrypted Apple disk image; convert it to an unencrypted one first (hdiutil convert)"
    if head.startswith(b"PK") and b"aff4://" in head:
        return "this is an AFF4 image; convert it to E01 or raw first"
    for magic, word in _ARCHIVES:
        if head.startswith(magic):
            return f"this is {word} archive; unpack it first"
    if head[257:262] == b"ustar":
        return "this is a tar archive; unpack it first"
    alone = "it is not a disk: put it in a folder and scan the folder"
    for magic, word in _FILES:
        if head.startswith(magic):
            return f"this is {word}; {alone}"
    if head[4:8] == b"ftyp":
        return f"this is an MP4 or HEIC file; {alone}"
    if head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return f"this is a text file; {alone}"
    return None
