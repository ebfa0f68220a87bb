"""What a file is, by its content: our own signatures first, libmagic for what they do not know."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"(\xb5/\xfd", "application/zstd"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"regf", "application/x-windows-registry"),
    (0, b"ElfFile\0", "application/x-ms-evtx"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
)
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x0b\x1b\x08")


def is_text(head: bytes) -> bool:
    """Whether the beginning of a file reads as text: UTF-8, an 8-bit code page, or UTF-16 with or without its mark.

    UTF-16 without a mark shows itself by zero bytes on one side only; a file with zeros on both, or with many control characters, is
    taken for binary.
    """
    if not head:
        return False
    if head.startswith(_UTF16_BOMS):
        return True
    if 0 in head:
        pairs = len(head) // 2
        even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
        return pairs >= 4 and max(even, odd) > 0.3 * pairs and min(even, odd) <= 0.02 * pairs
    return len(head) - len(head.translate(None, _CONTROLS)) <= len(head) // 50


def by_signature(head: bytes) -> str | None:
    """MIME type by our own signatures, or None."""
    for offset, signature, mime in _SIGNATURES:
        if head.startswith(signature, offset):
            return mime
    return None


def file_type(head: bytes) -> str:
    """MIME type of a file from its first 4 KiB; ``application/octet-stream`` where nobody knows."""
    known = by_signature(head)
    if known is not None:
        return known
    if not head:
        return "inode/x-empty"
    magic = _magic()
    if magic is None:
        return "text/plain" if is_text(head) else "application/octet-stream"
    # from_buffer, never from_file: the path would be opened by C code that knows no Unicode on Windows.
    return str(magic.from_buffer(head))


@cache
def _magic() -> Any:
    """libmagic of the wheel with the wheel's own data base, so that a file is of the same type on every machine; None where it cannot be had."""
    # Imported for what it does: it makes its own library the one that is found.
    with suppress(ImportError):
        import pylibmagic  # noqa: F401
    try:
        from magic import Magic, MagicException
    except (ImportError, OSError):
        return None
    try:
        return Magic(mime=True)
    except MagicException:
        return None
