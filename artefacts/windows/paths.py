r"""What a path that Windows wrote says about whose it is."""

from __future__ import annotations

import re

_PROFILE = re.compile(r"\\(?:Users|Documents and Settings|Profiles)\\([^\\]+)\\", re.IGNORECASE)
_SHARED = frozenset(("public", "default", "default user", "all users", "networkservice", "localservice"))


def user_of(path: str) -> str | None:
    r"""The user profile that a Windows path lies in (``C:\Users\jo\x`` gives ``jo``), or None: shared profiles are nobody's."""
    found = _PROFILE.search(path)
    return found[1] if found and found[1].lower() not in _SHARED else None


def name_of(path: str) -> str:
    r"""The last part of a Windows path."""
    return path.rstrip("\\").rsplit("\\", 1)[-1]
