"""A volume's shadow copies: of all that one holds, only what the volume itself and newer copies no longer hold in the same form."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from triage.evidence.model import Entry, Filesystem, Source, Volume

SCHEME = "vss"


def only_here(source: Source, volume: Volume, filesystem: Filesystem, beat: Callable[[], None]) -> Iterator[list[Entry]]:
    """The files and folders of the shadow copy ``volume`` that are gone or changed since: not in the volume it belongs to, nor in a newer copy,
    with the same path, size and time of last change. Deleted entries are left out: they are the volume's own.

    Lists the volume and the newer copies first; ``beat`` is called as that goes on. Raises ``OSError`` where the volume cannot be opened.
    """
    above, _, number = volume.id.rpartition(".")
    later = [
        other for other in source.volumes()
        if other.id == above or (other.scheme == SCHEME and other.id.rpartition(".")[0] == above and int(other.id.rpartition(".")[2]) > int(number))
    ]  # fmt: skip
    known: set[int] = set()
    for other in later:
        listed = source.filesystem(other)
        try:
            for chunk in listed.entries():
                known.update(_key(entry) for entry in chunk if entry.allocated)
                beat()
        finally:
            listed.close()
    for chunk in filesystem.entries():
        beat()
        found = [entry for entry in chunk if entry.allocated and _key(entry) not in known]
        if found:
            yield found


def _key(entry: Entry) -> int:
    # A folder is the same as long as it is there; its time changes with whatever is put into it. Of a file the hash of what tells it is enough:
    # that two different ones agree in 64 bits will not happen on one disk.
    return hash((entry.path, entry.kind, 0, 0) if entry.kind == "directory" else (entry.path, entry.kind, entry.size, entry.modified))
