"""IPFS and OnionShare: that they were set up, and which files OnionShare was told to offer. Their private keys are not read.

``.ipfs/config``: JSON, ``Identity.PeerID``. OnionShare's ``persistent/NAME.json``: ``persistent.mode`` (share, receive, website, chat) and the
``filenames`` of that mode.

Sources: docs.ipfs.tech ("Configure Kubo"); onionshare_cli/mode_settings.py.
"""

from __future__ import annotations

from typing import Any

from artefacts.applications.reading import Results, json_object, last_part, text_of
from artefacts.coverage import Unrecognised
from artefacts.observations import AccountUse, SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile


def _inside(holder: Any, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def parse_ipfs(file: EvidenceFile) -> Results:
    """One ``AccountUse``: the identity of this node in the network."""
    identity = text_of(_inside(json_object(file, 4 << 20).get("Identity"), "PeerID"))
    if identity is None:
        raise Unrecognised("not the settings of IPFS")
    yield AccountUse(service="IPFS", account=identity, user=file.user, how="file sharing program", locator="Identity.PeerID")


def parse_onionshare(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file offered; a ``SystemFact`` for the mode."""
    tree = json_object(file, 4 << 20)
    mode = text_of(_inside(tree.get("persistent"), "mode"))
    if mode is None:
        raise Unrecognised("not a tab of OnionShare")
    yield SystemFact(name="OnionShare tab that is kept", value=mode, locator="persistent.mode")
    names = _inside(tree.get(mode), "filenames")
    for number, path in enumerate(names[:10_000] if isinstance(names, list) else ()):
        if text_of(path):
            yield SharedFile(
                name=last_part(path)[:4096], path=path[:4096], shared=True, program="OnionShare", state="complete", user=file.user,
                locator=f"{mode}.filenames[{number}]",
            )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="applications.ipfs",
        title="IPFS: identity",
        meaning="That this computer was made a part of the IPFS network for sharing files.",
        paths=("**/.ipfs/config",),
        parse=parse_ipfs,
        references=("https://docs.ipfs.tech/how-to/configure-node/",),
    ),
    Artefact(
        id="applications.onionshare",
        title="OnionShare: files offered",
        meaning="Files that OnionShare offers through the Tor network.",
        paths=("**/onionshare/persistent/*.json",),
        parse=parse_onionshare,
        references=("https://docs.onionshare.org",),
    ),
)
