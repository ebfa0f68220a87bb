"""Where a word ends, in folded UTF-8: between a letter, mark or digit and anything that is none of them.

Simpler than UAX #29 on purpose: an apostrophe and a hyphen part words, so that possessives and compounds are still found. Scripts
written without spaces have no such place to look for: there, every character may begin or end a word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

WORD = "0-9a-z"
"""What Hyperscan expressions take for a letter or digit, in folded text."""
_ASCII_WORD = bytes(1 if chr(byte).isalnum() else 0 for byte in range(128)) + bytes(128)
# Thai, Lao, Myanmar, Khmer, kana, bopomofo, Han with its extensions, further Myanmar and Khmer symbols.
CONTINUOUS = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_CONTINUOUS = re.compile(CONTINUOUS)


def breaks_at(data: bytes, offset: int) -> bool:
    """True if a word may begin or end at ``offset`` of ``data``, folded UTF-8; ``offset`` lies between two characters."""
    if offset <= 0 or offset >= len(data):
        return True
    before, after = data[offset - 1], data[offset]
    if before < 0x80 and after < 0x80:
        return not (_ASCII_WORD[before] and _ASCII_WORD[after])
    return _parted(_last(data, offset), _first(data, offset))


def word_end(data: bytes, offset: int, limit: int = 64) -> int:
    """The offset at which the word that reaches ``offset`` ends, at most ``limit`` bytes on."""
    stop = min(len(data), offset + limit)
    while offset < stop and not breaks_at(data, offset):
        offset += 1
        while offset < stop and data[offset] & 0xC0 == 0x80:
            offset += 1
    return offset


def is_word(character: str) -> bool:
    """True for letters, marks and digits of any script."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"


@lru_cache(maxsize=8192)
def _parted(before: str, after: str) -> bool:
    if not (is_word(before) and is_word(after)):
        return True
    if unicodedata.category(after)[0] == "M":
        return False
    return bool(_CONTINUOUS.match(before) or _CONTINUOUS.match(after))


def _last(data: bytes, offset: int) -> str:
    start = offset - 1
    while start > 0 and offset - start < 4 and data[start] & 0xC0 == 0x80:
        start -= 1
    return data[start:offset].decode("utf-8", "replace")[-1:] or " "


def _first(data: bytes, offset: int) -> str:
    return data[offset : offset + 4].decode("utf-8", "replace")[:1] or " "
