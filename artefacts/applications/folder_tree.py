"""Paths of files that a database keeps as numbers of parents: cycles and missing parents do no harm."""

from __future__ import annotations

from collections.abc import Hashable

MOST = 1_000_000  # entries that are held
_DEEPEST = 100


class FolderTree:
    """``add`` every entry, then ask for the ``path`` of any."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[str, Hashable | None]] = {}
        self.dropped = 0

    def add(self, key: Hashable, name: str, parent: Hashable | None) -> None:
        """An entry by its number or name in the database. The first of a key counts."""
        if len(self._entries) >= MOST:
            self.dropped += 1
        else:
            self._entries.setdefault(key, (name, parent))

    def path(self, key: Hashable | None, name: str = "") -> str:
        """Names from the outermost known parent down to ``key``, ``/`` between; ``name`` is put below it."""
        parts = [name] if name else []
        seen: set[Hashable] = set()
        while key is not None and key not in seen and len(seen) < _DEEPEST:
            seen.add(key)
            entry = self._entries.get(key)
            if entry is None:
                break
            if entry[0]:
                parts.append(entry[0])
            key = entry[1]
        top, *rest = reversed(parts) if parts else ("",)
        return "/".join((top.rstrip("/"), *rest)) if rest else top
