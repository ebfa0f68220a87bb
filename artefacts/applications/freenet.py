"""Freenet (Hyphanet): what was fetched and put in, as its node lists it, and where it stores files.

``completed.list.downloads`` and ``completed.list.uploads``: one address (``CHK@…/name``) a line, among other words. ``freenet.ini``: ``key=value``.
``client.dat`` keeps what is under way; it is encrypted unless the lowest level of security was chosen (``client.dat.crypt``).

Source: hyphanet/fred, freenet/node and freenet/client; KapeFiles, Targets/P2P/Freenet.tkape.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from artefacts.applications.reading import Results, content, words
from artefacts.coverage import Encrypted, Problem, Status
from artefacts.log_lines import log_lines
from artefacts.observations import SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile

_ADDRESS = re.compile(r"\b(?:CHK|SSK|USK|KSK)@[^\s\"'<>]+")
_FOLDERS = re.compile(r"^(node\.(?:downloadsDir|downloadAllowedDirs|uploadAllowedDirs))=(.+)$", re.MULTILINE)
_MOST = 100_000


def parse_completed(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each address, named by its last part; a file that was put in is ``shared``."""
    put = "upload" in file.name.lower()
    for count, (number, line) in enumerate(log_lines(file)):
        if isinstance(line, Problem):
            yield line
            continue
        if count >= _MOST:
            yield Problem(f"more than {_MOST} lines: the rest is not read", Status.SKIPPED)
            return
        for found in _ADDRESS.finditer(line[:8192]):
            name = unquote(found[0].rstrip("/").rpartition("/")[2]) if "/" in found[0] else ""
            yield SharedFile(
                name=(name or found[0])[:4096], shared=True if put else None, program="Freenet", state="complete", user=file.user, locator=f"line={number}"
            )  # fmt: skip


def parse_settings(file: EvidenceFile) -> Results:
    """A ``SystemFact`` for each folder that the node may store in or take from."""
    data, problems = content(file, 1 << 20)
    yield from problems
    for found in _FOLDERS.finditer(words(data)):
        yield SystemFact(name="folder of Freenet", value=found[2].strip()[:4096], locator=found[1])


def parse_encrypted(file: EvidenceFile) -> Results:
    """Raises ``Encrypted``: which files are under way cannot be read."""
    raise Encrypted("the list of what Freenet fetches is encrypted")
    yield  # a generator, as every parser is


_REFERENCES = ("https://github.com/hyphanet/fred",)

ARTEFACTS = (
    Artefact(
        id="applications.freenet.completed",
        title="Freenet (Hyphanet): finished downloads and uploads",
        meaning="Names of files that were fetched from Freenet or put into it.",
        paths=("**/*completed.list.downloads", "**/*completed.list.uploads"),
        parse=parse_completed,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.freenet.settings",
        title="Freenet (Hyphanet): folders",
        meaning="Where Freenet stores what it fetches.",
        paths=("**/freenet.ini",),
        parse=parse_settings,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.freenet.client",
        title="Freenet (Hyphanet): transfers under way",
        meaning="What Freenet was fetching. It is encrypted.",
        paths=("**/client.dat.crypt", "**/client.dat.bak.crypt", "**/node.db4o.crypt"),
        parse=parse_encrypted,
        references=_REFERENCES,
    ),
)
