"""Mail: RFC 5322 messages with MIME parts (EML, EMLX, MHT) and mbox files of them."""

from __future__ import annotations

import email
import email.header
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text.kinds import decode
from triage.scan.text.markup import plain
from triage.scan.text.parts import MAX_READ, Budget, Member, Part, Text

_HEADERS = ("Subject", "From", "To", "Cc", "Bcc", "Reply-To", "Thread-Topic", "Keywords", "Comments")
_EMLX = re.compile(rb"\d{1,10} *\r?\n")
_FROM = b"From "
_LOCKED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")
_PGP = b"-----BEGIN PGP MESSAGE-----"


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """One message: subject and names, bodies, attachments."""
    data = stream.read(MAX_READ)
    emlx = _EMLX.match(data)
    yield from message(data[emlx.end() :] if emlx else data, "", budget)
    if stream.read(1):
        yield Problem(f"only its first {MAX_READ >> 20} MiB were read")


def read_mbox(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The messages of an mbox, each as ``read`` gives it, ``message 3 ▸`` before its locators."""
    lines: list[bytes] = []
    number = size = 0
    blank = cut = False
    while True:
        line = stream.readline(1 << 20)
        if not line or (line.startswith(_FROM) and (blank or not number)):
            if lines:
                yield from message(b"".join(lines), f"message {number} ▸ ", budget)
            if cut:
                yield Problem(f"only the first {MAX_READ >> 20} MiB of a message were read", locator=f"message {number}")
            if not line:
                return
            number += 1
            lines, size, cut = [], 0, False
            if not budget.message() or budget.spent:
                yield Problem(budget.spent)
                return
            continue
        blank = line in (b"\n", b"\r\n")
        size += len(line)
        cut = size > MAX_READ
        if not cut:
            lines.append(line)


def message(data: bytes, prefix: str, budget: Budget) -> Iterator[Part]:
    """What is in one RFC 5322 message; ``prefix`` stands before its locators."""
    budget.took(len(data))
    try:
        message = email.message_from_bytes(data)
        parts = list(message.walk())
    except RecursionError:
        yield Problem("its parts are nested too deep to be read", locator=prefix.removesuffix(" ▸ "))
        return
    for number, part in enumerate(parts):
        here = "" if number == 0 else f"part {number} ▸ "
        heads = "\n".join(text for name in _HEADERS for text in _header(part, name))
        if heads:
            yield Text(heads, f"{prefix}{here}header", "title")
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        yield from _part(part, prefix, number, budget)


def _part(part: Message[str, str], prefix: str, number: int, budget: Budget) -> Iterator[Part]:
    kind = part.get_content_type()
    if kind in _LOCKED:
        if "signed" not in str(part.get_param("smime-type") or ""):
            yield Problem("a message is encrypted", Status.ENCRYPTED, f"{prefix}part {number}")
        return
    if part.is_multipart():
        return
    payload: Any = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload:
        return
    name = "\n".join(_decoded(str(part.get_filename() or "")))
    budget.beat()
    if part.get_content_maintype() == "text" and not name:
        if _PGP in payload:
            yield Problem("a message is encrypted", Status.ENCRYPTED, f"{prefix}part {number}")
        charset = part.get_content_charset()
        text = decode(payload, charset)
        yield Text(plain(text) if kind in ("text/html", "text/xml") else text, f"{prefix}{'body' if number < 2 else f'part {number}'}")
        return
    if name:
        yield Text(name, f"{prefix}{name}", "name")
    yield Member(f"{prefix}{name or f'part {number}'}", payload)


def _header(part: Message[str, str], name: str) -> Iterator[str]:
    try:
        values = part.get_all(name, [])
    except (ValueError, IndexError, TypeError):
        return
    for value in values:
        yield from _decoded(str(value))


def _decoded(value: str) -> Iterator[str]:
    try:
        yield str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, email.errors.MessageError):
        yield value
