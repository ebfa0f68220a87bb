"""Files that are an encrypted container by their header (LUKS), or consistent with one: whole sectors of bytes that nothing tells from random
ones, and no header, as VeraCrypt and TrueCrypt make them."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

from artefacts.observations import EncryptedItem
from triage.evidence.encryption import LUKS_SIGNATURE, MIN_NOISE, measure
from triage.evidence.model import Entry, ReadError
from triage.scan.filetype import by_signature, file_type
from triage.scan.inspect.item import READ, Subject
from triage.scan.inspect.recorder import Recorder

SECTOR = 512
_LEAST_DIFFERENT = 195  # of 256 byte values, in the first 512 bytes: of random ones 221 on average, with a deviation of five
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
        # LZMA packs so well that its data can pass for random: what libmagic knows by its header is no container.
        if not noise.random or file_type(subject.head) != "application/octet-stream":
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
