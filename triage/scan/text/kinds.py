"""Which reader a content is for, by its first bytes. Names are never trusted: a letter renamed to .jpg is still a letter."""

from __future__ import annotations

import re

from triage.scan.filetype import by_signature, is_text
from triage.scan.text import torrent

_BY_MIME = {
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gzip",
    "application/x-xz": "xz",
    "application/x-bzip2": "bzip2",
    "application/x-ole-storage": "ole",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/zstd": "zstd",
}
_SIGNED = (
    (0, b"!BDN", "pst"),
    (0, b"\xcf\xad\x12\xfe", "dbx"),
    (0, bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3"), "onenote"),
    (4, b"Standard Jet DB", "Access database"),
    (4, b"Standard ACE DB", "Access database"),
    (0, b"MSCF\0\0\0\0", "cabinet archive"),
)
READ = frozenset(
    (
        "pdf",
        "zip",
        "gzip",
        "xz",
        "bzip2",
        "zstd",
        "tar",
        "7z",
        "rar",
        "ole",
        "rtf",
        "mail",
        "mbox",
        "pst",
        "dbx",
        "torrent",
        "onenote",
        "markup",
        "json",
    )
)
"""Kinds that have a reader. Any other name that ``kind_of`` gives is, in words, what this tool does not open."""
OVER_TEXT = frozenset(("markup", "json"))
"""Kinds that are worth reading as they stand, too: addresses and scripts are in the markup."""

_HEADER = re.compile(
    rb"^(?:from|to|cc|subject|date|received|mime-version|message-id|return-path|delivered-to|reply-to|content-type|x-[a-z-]+|sent):[ \t]?",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD = re.compile(rb"[!-9;-~]{1,80}:[ \t\r\n]")
_EMLX = re.compile(rb"\d{1,10} *\r?\n")
_MARKUP = re.compile(r"(?:<\?xml|<!doctype|<html|<head|<body|<[a-z][a-z0-9:_-]{0,40}[\s/>])", re.IGNORECASE)


def kind_of(head: bytes) -> str | None:
    """The kind of a content from its first 4 KiB: one of ``READ``, the name of a container that is not opened, or None."""
    known = _BY_MIME.get(by_signature(head) or "")
    if known is not None:
        return known
    if head.startswith((b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    for offset, signature, name in _SIGNED:
        if head.startswith(signature, offset):
            return name
    if b"%PDF-" in head[:1024]:
        return "pdf"  # readers of PDF accept a kilobyte of anything before it, and somebody may have put it there
    if torrent.begins(head):
        return "torrent"
    if not is_text(head):
        return None
    if head.lstrip()[:5] == b"{\\rtf":
        return "rtf"
    return _mail(head) or _marked_up(head)


def worth_unpacking(head: bytes) -> bool:
    """Whether a member of an archive is worth unpacking, by its first 4 KiB."""
    return is_text(head) or kind_of(head) is not None


def _mail(head: bytes) -> str | None:
    if head.startswith(b"From "):
        line, _, rest = head.partition(b"\n")
        return "mbox" if _FIELD.match(rest) and _header_lines(rest) >= 2 and len(line) < 400 else None
    emlx = _EMLX.match(head)
    if emlx:
        head = head[emlx.end() :]
    return "mail" if _FIELD.match(head) and _header_lines(head) >= 2 else None


def _header_lines(head: bytes) -> int:
    block = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    return len({match[0].lower() for match in _HEADER.finditer(block)})


def _marked_up(head: bytes) -> str | None:
    start = decode(head)[:2048].lstrip("\ufeff \t\r\n")
    if start[:1] in "{[" and start[:1]:
        return "json"
    return "markup" if _MARKUP.match(start) or "<html" in start.lower() else None


def decode(data: bytes, charset: str | None = None) -> str:
    """Text of ``data``: by ``charset`` where it is known and fits, else by byte order mark and zero bytes, UTF-8, Windows-1252. Never raises."""
    from rules.keywords.content import encoding_of

    if charset:
        try:
            return data.decode(charset)
        except (LookupError, ValueError):  # unknown, not of text, or simply wrong
            pass
    encoding = encoding_of(data)
    if encoding.startswith("utf-"):
        return data.decode(encoding, "replace").lstrip("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Cut in the middle of a letter, as any piece of a file may be, is still UTF-8.
        if error.start > len(data) - 4:
            return data.decode("utf-8-sig", "ignore")
    return data.decode("cp1252", "replace")
