"""Files that are an encrypted container by their header (LUKS), or consistent with one: whole sectors of bytes that nothing tells from random
ones, and no header, as VeraCrypt and TrueCrypt make them."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

from artefacts.observations import EncryptedItem
from triage.evidence.encryption import LUKS_SIGNATURE, MIN_NOISE, measure
from triage.evidence.model import Entry, ReadError
from triage.scan.filetype import by_signature
from triage.scan.inspect.item import READ, Subject
from triage.scan.inspect.recorder import Recorder

SECTOR = 512
_LEAST_DIFFERENT = 195  # of 256 byte values, in the first 512 bytes: of random ones 221 on average, with a deviation of five
# LZMA and its like pack so well that their data can pass for random. libmagic is not asked: it takes one in some dozen random beginnings for something.
_HEADERS = (
    b"!<arch>", b"\xed\xab\xee\xdb", b"hsqs", b"MSCF", b"Cr24", b"LZIP", b"\x5d\0\0", b"\x04\x22\x4d\x18", b"xar!", b"ISc(", b"wOF2", b"\0asm",
    b"RIFF", b"PAR2", b"\x89HDF", b"VMDK", b"KDMV", b"QFI\xfb", b"conectix", b"vhdxfile", b"\x03\xd9\xa2\x9a", b"Salted__",
)  # fmt: skip
_TEXT = re.compile(rb"[\x20-\x7e\t\r\n]{6}")  # a header that can be read: chance makes one of 400
# What systems and programs keep for themselves: encrypted stores of their own, games, updates.
_NOT_PERSONAL = re.compile(
    r"^/(?:windows|program files(?: \(x86\))?|programdata|usr|lib|lib64|opt|boot|var/(?:lib|cache|log)|snap|system|library|applications|proc|sys)/|"
    r"/(?:appdata|\.cache|\.config|\.local/share|\.var|steamapps|node_modules|library/(?:caches|application support|containers))/",
    re.IGNORECASE,
)


class ContainerCheck:
    """A content check (see ``checks.ContentCheck``) for the files that it ``wants``; never asked about what lies inside another."""

    name, stage = "container", READ + 1

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def warm(self) -> None:
        """Nothing to load."""

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Whether a file can be one, by its size, its place and its beginning; hardly any other than a random-looking one can."""
        if head.startswith(LUKS_SIGNATURE):
            return True
        return (
            entry.size >= MIN_NOISE
            and entry.size % SECTOR == 0
            and len(head) >= SECTOR
            and len(set(head[:SECTOR])) >= _LEAST_DIFFERENT
            and by_signature(head) is None
            and not head.startswith(_HEADERS)
            and not _TEXT.match(head)
            and _NOT_PERSONAL.search(entry.path) is None
        )

    def content(self, subject: Subject) -> None:
        """See ``ContentCheck.content``: ``EncryptedItem`` of the kind ``possible container`` or ``LUKS container``."""
        if subject.head.startswith(LUKS_SIGNATURE):
            detail = f"LUKS version {int.from_bytes(subject.head[6:8], 'big')}"
            self._tell(subject, EncryptedItem(kind="LUKS container", path=subject.path, state="locked", detail=detail))
            return
        with io.BytesIO(subject.data) if subject.data is not None else subject.open() as stream:
            noise = measure(_Bytes(stream, subject.size))
        if not noise.random:
            return
        detail = (
            f"consistent with an encrypted container: a whole number of sectors, no known header, {noise.samples} samples without pattern "
            f"(entropy {noise.entropy:.3f} bits a byte, chi-square {noise.chi_square:.0f} where 255 is expected of random bytes)"
        )
        self._tell(subject, EncryptedItem(kind="possible container", path=subject.path, state="unknown", detail=detail))

    def _tell(self, subject: Subject, item: EncryptedItem) -> None:
        item.locator = subject.locator
        self._recorder.observe(item, "container/1", subject.entry)


class _Bytes:
    """A stream as a ``ByteSource``."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size

    @property
    def errors(self) -> list[ReadError]:
        return list(getattr(self._stream, "read_errors", ()))

    def read_at(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(length)

    def close(self) -> None:
        self._stream.close()
