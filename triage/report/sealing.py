"""A case that a lost stick does not show: everything in one file, encrypted from the first line of the journal on.

``case.sealed`` stands for the case folder. It is only ever added to, so that a pulled stick costs the last moment and no more::

    8 bytes            "TRIAGES1"
    4 bytes            length of the header, big-endian
    header             JSON {"format", "recipients", "passphrase"}: the case key (32 random bytes), encrypted by age (age-encryption.org/v1)
                       to the recipients, and again under the officer's passphrase (base64; null without one). age itself does not mix the two
    then, again and again:
    1 byte             "S": a session begins, 16 random bytes follow; "R": a record follows
    4 bytes, "R" only  its length, big-endian
    record             ChaCha20-Poly1305 (RFC 8439), nonce: its number in the session; associated data: SHA-256 of header, number in the file

A session's key is HKDF-SHA-256 (RFC 5869) of the case key with the session's bytes as salt: a program that goes on after a pulled stick never
uses a number again with the same key. Records cannot be left out, moved or exchanged; what is cut off at the end is not seen here, but by the
journal's own seal, and a last record says that the case was closed. A record is: an operation, the length of a file name (2 bytes,
big-endian), the name (UTF-8), data. Operations: A add data to the file, W begin it anew, T cut it to the length in the data (8 bytes), M move
it to the name in the data, D delete it, E (no name) the case is closed.

What can still be seen from outside: how large the case is, and when it was written.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from triage.casefolder import SEALED

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAGIC = b"TRIAGES1"
FORMAT = "triage sealed case 1"
MAX_HEADER = 1 << 20
MAX_RECORD = 4 << 20
MAX_FILES = 10_000
BUFFER = 1 << 20
TAG = 16
BLOCK = 1 << 18
MAX_IN_FLIGHT = 16 << 20
"""What can have been on its way to a stick that was pulled: file systems there may give a file its new length before its content."""
MAX_RECIPIENTS = 32


class SealingError(Exception):
    """A sealed case cannot be made or opened; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """How a case is to be sealed. ``recipients``: age public keys (age1…); ``passphrase``: the officer's, None for none."""

    recipients: tuple[str, ...]
    passphrase: str | None = None


def read_recipients(path: Path) -> tuple[str, ...]:
    """The age public keys in a file, one a line; lines that begin with # are comments. Raises ``SealingError``."""
    from pyrage import RecipientError, x25519

    text = _text(path, "the file of recipients")
    found = tuple(line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    if not 0 < len(found) <= MAX_RECIPIENTS:
        raise SealingError(f"{path} holds {len(found)} recipients, and there must be 1 to {MAX_RECIPIENTS}")
    for number, recipient in enumerate(found, start=1):
        if recipient.upper().startswith("AGE-SECRET-KEY-"):
            raise SealingError(f"{path} holds a secret key: it belongs to the unit and must not be on the stick")
        try:
            x25519.Recipient.from_str(recipient)
        except RecipientError:
            raise SealingError(f"recipient {number} in {path} is no age public key (age1…)") from None
    return found


def read_identities(path: Path) -> list[Any]:
    """The age secret keys in a file, as ``age-keygen`` writes it. Raises ``SealingError``."""
    from pyrage import IdentityError, x25519

    out = []
    for line in _text(path, "the key file").splitlines():
        if line.strip().upper().startswith("AGE-SECRET-KEY-"):
            try:
                out.append(x25519.Identity.from_str(line.strip()))
            except IdentityError:
                raise SealingError(f"a key in {path} is damaged") from None
    if not out:
        raise SealingError(f"{path} holds no age secret key")
    return out


def _text(path: Path, what: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_HEADER).decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise SealingError(f"{what} {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def create(folder: Path, sealing: Sealing) -> SealedCase:
    """Begin a sealed case in ``folder``, where nothing but an empty ``case.sealed`` may lie. Raises ``SealingError``, ``OSError``."""
    import pyrage

    secret = os.urandom(32)
    recipients = [pyrage.x25519.Recipient.from_str(text) for text in sealing.recipients]
    wrapped = None if sealing.passphrase is None else pyrage.passphrase.encrypt(secret, sealing.passphrase)
    header = json.dumps(
        {
            "format": FORMAT,
            "recipients": base64.b64encode(pyrage.encrypt(secret, recipients)).decode("ascii"),
            "passphrase": None if wrapped is None else base64.b64encode(wrapped).decode("ascii"),
        }
    ).encode("ascii")
    file = open(folder / SEALED, "r+b" if (folder / SEALED).exists() else "w+b")
    if file.seek(0, os.SEEK_END):
        file.close()
        raise SealingError(f"there is a sealed case in {folder} already")
    file.write(MAGIC + len(header).to_bytes(4, "big") + header)
    file.flush()
    os.fsync(file.fileno())
    return SealedCase(folder, file, secret, hashlib.sha256(header).digest())


def unseal(folder: Path, *, identities: Sequence[Any] = (), passphrase: str | None = None, writable: bool = False) -> SealedCase:
    """Open the sealed case in ``folder``, with the unit's secret keys or the officer's passphrase.

    ``writable``: to go on in it; an unfinished end, as a pulled stick leaves it, is then cut off (``dropped``: how many bytes). Otherwise
    ``problem`` of what is returned says, in a sentence, how far it can be read. Raises ``SealingError``, ``OSError``.
    """
    import pyrage

    file = open(folder / SEALED, "r+b" if writable else "rb")
    try:
        head = file.read(12)
        if len(head) < 12 or not head.startswith(MAGIC):
            raise SealingError(
                f"{folder / SEALED} is no sealed case" if len(head) == 12 else f"{folder / SEALED} breaks off before it begins"
            )
        raw = file.read(min(int.from_bytes(head[8:], "big"), MAX_HEADER))
        header = _header(raw)
        if header is None or len(raw) != int.from_bytes(head[8:], "big"):
            raise SealingError(f"the beginning of {folder / SEALED} is damaged: without it nobody can open the case")
        try:
            if identities:
                secret = pyrage.decrypt(header["recipients"], list(identities))
            elif passphrase is None:
                raise SealingError("the case is sealed: a key or the officer's passphrase is needed")
            elif header["passphrase"] is None:
                raise SealingError("the case was sealed without a passphrase: only the unit's key opens it")
            else:
                secret = pyrage.passphrase.decrypt(header["passphrase"], passphrase)
        except pyrage.DecryptError:
            what = "the key is not one that the case was sealed to" if identities else "the passphrase is wrong"
            raise SealingError(f"{what}, or the beginning of {folder / SEALED} is damaged") from None
        if len(secret) != 32:
            raise SealingError(f"the beginning of {folder / SEALED} is damaged")
        case = SealedCase(folder, file, secret, hashlib.sha256(raw).digest())
        case.read_index()
        if writable:
            if case.problem and not case.torn:
                raise SealingError(f"the sealed case in {folder} was altered: {case.problem}")
            case.dropped = file.seek(0, os.SEEK_END) - case.end
            file.truncate(case.end)
        return case
    except BaseException:
        file.close()
        raise


def _header(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
        if value["format"] != FORMAT or set(value) != {"format", "recipients", "passphrase"}:
            return None
        return {
            name: None if value[name] is None else base64.b64decode(value[name], validate=True) for name in ("recipients", "passphrase")
        }
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Extent:
    """A piece of a file: where its record lies, with which key, and which bytes of the record's content are meant."""

    offset: int
    size: int
    session: int
    counter: int
    number: int
    start: int
    length: int


@dataclass(slots=True)
class SealedCase:
    """What stands for the case folder: ``case / "journal.jsonl"`` is a file in it. One process, one thread."""

    folder: Path
    file: IO[bytes]
    secret: bytes
    digest: bytes
    problem: str = ""
    torn: bool = False
    """Whether what is wrong is only its end, as a pulled stick leaves it."""
    dropped: int = 0
    closed: bool = False
    """Whether the last thing that was written is that the case was closed."""
    end: int = 0
    _ciphers: list[ChaCha20Poly1305] = field(default_factory=list)
    _writing: bool = False
    _counter: int = 0
    _number: int = 0
    _files: dict[str, list[_Extent]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.end = self.file.seek(0, os.SEEK_END)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    def __str__(self) -> str:
        return str(self.folder)

    def __truediv__(self, key: str, /) -> SealedFile:
        return SealedFile(self, key)

    def names(self) -> list[str]:
        """The files of the case."""
        return sorted(self._files)

    def temporary(self) -> IO[bytes]:
        """A file for what does not fit in memory, to be written once and then read from its beginning: encrypted with a key that only this
        process has, gone when it is closed."""
        return cast(IO[bytes], _Scratch(self.folder))

    def finish(self) -> None:
        """Write down that the case is closed."""
        self.record(b"E", "")
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self.file.close()

    # --- records -----------------------------------------------------------------------------------------------------------------

    def record(self, operation: bytes, name: str, data: bytes = b"") -> _Extent:
        """Add a record at the end. Raises ``OSError``."""
        file = self.file
        file.seek(self.end)
        if not self._writing:
            salt = os.urandom(16)
            file.write(b"S" + salt)
            self._begin(salt)
            self._writing = True
        encoded = name.encode("utf-8", "surrogatepass")
        head = operation + len(encoded).to_bytes(2, "big") + encoded
        extent = _Extent(0, 0, len(self._ciphers) - 1, self._counter, self._number, len(head), len(data))
        sealed = self._ciphers[-1].encrypt(_nonce(self._counter), head + data, self._bound(self._number))
        file.write(b"R" + len(sealed).to_bytes(4, "big"))
        at = file.tell()
        file.write(sealed)
        # To the system at once: what is read back is read from the file.
        file.flush()
        self.end, self._counter, self._number = at + len(sealed), self._counter + 1, self._number + 1
        extent = _Extent(at, len(sealed), extent.session, extent.counter, extent.number, extent.start, extent.length)
        self._apply(operation, name, data, extent)
        return extent

    def read_index(self) -> None:
        """Read all records once: which files there are and where. Sets ``problem`` where they end too early."""
        file = self.file
        size = file.seek(0, os.SEEK_END)
        at = len(MAGIC) + 4
        file.seek(len(MAGIC))
        at += int.from_bytes(file.read(4), "big")
        self.end = at
        while at < size:
            file.seek(at)
            kind = file.read(1)
            if kind == b"S":
                salt = file.read(16)
                if len(salt) < 16:
                    break
                self._begin(salt)
                at += 17
            elif kind == b"R" and self._ciphers:
                length = int.from_bytes(file.read(4), "big")
                if TAG + 3 <= length <= MAX_RECORD and at + 5 + length > size:
                    break
                if not TAG + 3 <= length <= MAX_RECORD or not self._take(at + 5, length):
                    self.problem = f"record {self._number + 1:,} is damaged, or was exchanged, moved or left out"
                    self.torn = size - at <= MAX_IN_FLIGHT and not self._goes_on(at, size)
                    return
                at += 5 + length
            else:
                self.problem = f"there is something else than a record after record {self._number:,}"
                self.torn = size - at <= MAX_IN_FLIGHT
                return
            self.end = at
        if at < size:
            self.torn = True
            self.problem = "the last record breaks off: the stick was pulled, or the end was cut off"

    def _goes_on(self, at: int, size: int) -> bool:
        """Whether a sound record of the same session follows on one at ``at`` that is not sound: then its end is not all that is wrong."""
        from cryptography.exceptions import InvalidTag

        for step in range(1000):
            self.file.seek(at)
            head = self.file.read(5)
            length = int.from_bytes(head[1:], "big")
            if head[:1] != b"R" or not TAG + 3 <= length <= MAX_RECORD or at + 5 + length > size:
                return False
            # One that was left out shifts the numbers of those after it.
            for shift in (-1, 0, 1):
                number = step + shift
                if self._counter + number < 0 or (step, shift) == (0, 0):
                    continue
                try:
                    self.content(_Extent(at + 5, length, len(self._ciphers) - 1, self._counter + number, self._number + number, 0, 0))
                    return True
                except (InvalidTag, OverflowError):
                    continue
            at += 5 + length
        return False

    def _take(self, offset: int, size: int) -> bool:
        from cryptography.exceptions import InvalidTag

        extent = _Extent(offset, size, len(self._ciphers) - 1, self._counter, self._number, 0, 0)
        try:
            content = self.content(extent)
            length = int.from_bytes(content[1:3], "big")
            name = content[3 : 3 + length].decode("utf-8", "surrogatepass")
        except (InvalidTag, UnicodeError):
            return False
        start = 3 + length
        data = content[start:]
        self._counter, self._number = self._counter + 1, self._number + 1
        where = _Extent(offset, size, extent.session, extent.counter, extent.number, start, len(data))
        self._apply(content[:1], name, data, where)
        return len(self._files) <= MAX_FILES

    def content(self, extent: _Extent) -> bytes:
        """A record decrypted. Raises ``InvalidTag``, ``OSError``."""
        self.file.seek(extent.offset)
        sealed = self.file.read(extent.size)
        return self._ciphers[extent.session].decrypt(_nonce(extent.counter), sealed, self._bound(extent.number))

    def _begin(self, salt: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        self._ciphers.append(ChaCha20Poly1305(HKDF(SHA256(), 32, salt, FORMAT.encode()).derive(self.secret)))
        self._counter = 0

    def _bound(self, number: int) -> bytes:
        return self.digest + number.to_bytes(8, "big")

    def _apply(self, operation: bytes, name: str, data: bytes, extent: _Extent) -> None:
        self.closed = operation == b"E"
        if operation == b"W":
            self._files[name] = []
        elif operation == b"A":
            self._files.setdefault(name, []).append(extent)
        elif operation == b"T":
            self._files[name] = _cut(self._files.get(name, []), struct.unpack(">Q", data)[0] if len(data) == 8 else 0)
        elif operation == b"M":
            self._files[data.decode("utf-8", "surrogatepass")] = self._files.pop(name, [])
        elif operation == b"D":
            self._files.pop(name, None)

    def extents(self, name: str) -> list[_Extent] | None:
        """Where a file lies; None if there is none."""
        return self._files.get(name)


def _cut(extents: list[_Extent], length: int) -> list[_Extent]:
    out = []
    for item in extents:
        if length <= 0:
            break
        kept = min(item.length, length)
        out.append(_Extent(item.offset, item.size, item.session, item.counter, item.number, item.start, kept))
        length -= kept
    return out


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file of a sealed case, as far as a ``Path`` is asked of one. It cannot be given to ``open``: nothing of it lies in the clear."""

    case: SealedCase
    name: str

    def __str__(self) -> str:
        return f"{self.case} ({self.name})"

    def open(self, mode: str, /) -> IO[Any]:
        """Binary only: rb; wb and w+b (anew, to write from the beginning on); r+b (to write on at the end)."""
        if mode == "rb":
            if not self.exists():
                raise FileNotFoundError(2, "No such file", str(self))
            return cast(IO[Any], io.BufferedReader(_Reader(self), BUFFER))
        if mode not in ("wb", "w+b", "r+b"):
            raise io.UnsupportedOperation(mode)
        if mode != "r+b":
            self.case.record(b"W", self.name)
        return cast(IO[Any], io.BufferedWriter(_Writer(self), BUFFER))

    def read_bytes(self) -> bytes:
        """All of it."""
        with self.open("rb") as file:
            return bytes(file.read())

    def exists(self) -> bool:
        """Whether it is there."""
        return self.case.extents(self.name) is not None

    is_file = exists

    def is_symlink(self) -> bool:
        """Never."""
        return False

    def lstat(self) -> os.stat_result:
        """An ordinary file and its size; nothing else is known of it. Raises ``FileNotFoundError``."""
        extents = self.case.extents(self.name)
        if extents is None:
            raise FileNotFoundError(2, "No such file", str(self))
        return os.stat_result((stat.S_IFREG | 0o600, 0, 0, 1, 0, 0, sum(item.length for item in extents), 0, 0, 0))

    def with_name(self, name: str) -> SealedFile:
        """The file beside it of that name."""
        return SealedFile(self.case, self.name.rpartition("/")[0] + "/" * ("/" in self.name) + name)

    def replace(self, target: Any) -> SealedFile:
        """Move it to ``target``, another file of the case, in one step."""
        self.case.record(b"M", self.name, target.name.encode("utf-8", "surrogatepass"))
        return SealedFile(self.case, target.name)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete it. Raises ``FileNotFoundError``."""
        if self.exists():
            self.case.record(b"D", self.name)
        elif not missing_ok:
            raise FileNotFoundError(2, "No such file", str(self))


class _Reader(io.RawIOBase):
    """Reads a file of the case from its beginning to its end."""

    def __init__(self, file: SealedFile) -> None:
        self._case = file.case
        self._extents = list(file.case.extents(file.name) or ())
        self._next, self._held, self._at = 0, b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        from cryptography.exceptions import InvalidTag

        while not self._held:
            if self._next >= len(self._extents):
                return 0
            extent = self._extents[self._next]
            try:
                content = self._case.content(extent)
            except InvalidTag:
                raise OSError(5, "the sealed case was changed while it was read") from None
            self._held, self._next = content[extent.start : extent.start + extent.length], self._next + 1
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


class _Writer(io.RawIOBase):
    """Adds to a file of the case: every write is one record."""

    def __init__(self, file: SealedFile) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.case.file.fileno()

    def tell(self) -> int:
        return self._file.lstat().st_size

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if (offset, whence) not in ((self.tell(), os.SEEK_SET), (0, os.SEEK_END), (0, os.SEEK_CUR)):
            raise io.UnsupportedOperation("a sealed file is only ever added to")
        return self.tell()

    def truncate(self, size: int | None = None, /) -> int:
        if size is not None and size < self.tell():
            self._file.case.record(b"T", self._file.name, size.to_bytes(8, "big"))
        return self.tell()

    def write(self, data: ReadableBuffer, /) -> int:
        content = bytes(data)[: MAX_RECORD // 2]
        self._file.case.record(b"A", self._file.name, content)
        return len(content)


class _Scratch(io.RawIOBase):
    """A temporary file of encrypted blocks: written once, then read."""

    def __init__(self, folder: Path) -> None:
        import tempfile

        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._file = tempfile.TemporaryFile(dir=folder, prefix=".sort-")
        self._cipher = ChaCha20Poly1305(os.urandom(32))
        self._lengths: list[int] = []
        self._held, self._next = bytearray(), 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        content = bytes(data)
        self._held += content
        if len(self._held) >= BLOCK:
            self._store()
        return len(content)

    def _store(self) -> None:
        sealed = self._cipher.encrypt(_nonce(len(self._lengths)), bytes(self._held), None)
        self._file.write(sealed)
        self._lengths.append(len(sealed))
        self._held.clear()

    def tell(self) -> int:
        return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if (offset, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation("only to the beginning")
        if self._held:
            self._store()
        self._file.seek(0)
        self._next = 0
        return 0

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._held:
            if self._next >= len(self._lengths):
                return 0
            self._held += self._cipher.decrypt(_nonce(self._next), self._file.read(self._lengths[self._next]), None)
            self._next += 1
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        del self._held[:count]
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def extract(case: SealedCase, out: Path) -> list[str]:
    """Write the files of the case into the empty folder ``out``, in the clear; returns their names. Raises ``OSError``, ``SealingError``."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise SealingError(f"the folder {out} is not empty: choose a new one")
    names = [name for name in case.names() if _is_plain(name)]
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        with (case / name).open("rb") as source, open(out / name, "xb") as target:
            for chunk in _chunks(source):
                target.write(chunk)
    return names


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(BUFFER):
        yield chunk


def _is_plain(name: str) -> bool:
    """Whether a name leads to a place below the folder: whoever sealed the case need not be a friend. Unfinished files are left out."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or ":" in part or "\0" in part for part in parts) and not parts[-1].endswith(
        (".part", ".tmp")
    )
