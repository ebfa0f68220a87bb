"""Shortcuts (.lnk): what they point at, on which volume and machine it lay, and its times then.

Windows makes one in the folder ``Recent`` for each file a user opens. Format: see ``artefacts.windows.shell_link``.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows import shell_link

LARGEST = 8 << 20  # bytes: a link has no reason to be larger, its parts are counted in 16 bits


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``FileSeen``: the target; ``user`` is whose profile the shortcut lies in."""
    try:
        link = shell_link.read(file.read(LARGEST))
    except ValueError as error:
        raise Unrecognised(str(error)) from error
    recent = "/recent/" in file.path.lower()
    yield seen(link, how="opened (shortcut in Recent)" if recent else "shortcut", user=file.user)
    for reason in link.problems:
        yield Problem(reason, Status.FAILED)


def seen(link: shell_link.Link, *, how: str, user: str | None, detail: str = "", locator: str = "") -> FileSeen:
    """A link as a record. ``detail`` is set before what the link itself adds."""
    notes = (detail, f"arguments: {link.arguments}" if link.arguments else "", f"installer product: {link.product}" if link.product else "")
    return FileSeen(
        path=link.target or "[target not recorded]",
        size=None if link.folder else link.size,
        time=link.modified,
        created=link.created,
        accessed=link.accessed,
        kind="directory" if link.folder else "file",
        volume=link.volume,
        how=how,
        user=user,
        detail="; ".join(note for note in notes if note) or None,
        locator=locator,
    )


ARTEFACTS = (
    Artefact(
        id="windows.lnk",
        title="Shortcuts",
        meaning="Files and programs that were opened or linked to, with the drive and machine they were on.",
        paths=("**/*.lnk",),
        parse=parse,
        references=("https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink/",),
        systems=("windows",),
        validation="309 specimens, XP to Windows 10",
    ),
)
