"""Text files that Windows wrote: in UTF-16 or in a code page, with or without a mark that says so."""

from __future__ import annotations


def decode(data: bytes) -> str:
    """``data`` as text: UTF-16 by its mark or by its zero bytes, UTF-8 where it is that, else code page 1252; what is wrong is escaped."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    head = data[:512]
    if len(head) > 3 and head[1::2].count(0) > len(head) // 4:
        return data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "backslashreplace")
