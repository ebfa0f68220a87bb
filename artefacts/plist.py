"""Apple property lists, XML and binary, from evidence: one function that either gives the tree or says in words why not.

Sources: ``man 5 plist``; CFBinaryPList.c of Apple's CF. The reading itself is Python's ``plistlib``, which was written for sound files:
on hostile ones it may raise nearly anything.
"""

from __future__ import annotations

from typing import Any

LARGEST = 64 << 20  # bytes


def load(data: bytes) -> Any:
    """The tree of dicts, lists, str, bytes, int, float, bool and naive UTC ``datetime``. Raises ``ValueError`` with a plain reason.

    In a binary list one object may stand in many places: walk only where you know the way, or mind what you have seen.
    """
    import plistlib

    if len(data) > LARGEST:
        raise ValueError(f"larger than {LARGEST} bytes")
    try:
        return plistlib.loads(data)
    except plistlib.InvalidFileException as error:
        raise ValueError("not a property list, or a damaged one") from error
    except Exception as error:
        raise ValueError(f"a damaged property list ({type(error).__name__})") from error
