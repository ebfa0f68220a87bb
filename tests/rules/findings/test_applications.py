"""The shipped rules on what programs keep of themselves: each fires on its own kind, and on no other."""

from __future__ import annotations

import pytest

from artefacts.observations import AccountUse, FileSeen, Observation, SearchQuery, SharedFile, SystemFact
from rules.findings import load
from triage.findings import FindingEngine

OURS = ("sharing.", "cloud.", "messaging.", "encryption.container_remembered", "virtual_machines.")


def fired(item: Observation) -> list[tuple[str, int]]:
    record = {
        **item.to_json(),
        "provenance": {"path": "/x", "source": "s", "volume": "v", "locator": "", "parser": "p/1", "recovered": False},
        "id": "1",
    }
    findings = FindingEngine(load()).consider(record)
    assert all("{" not in finding.title + finding.explanation and finding.innocent_explanations for finding in findings)
    return [(finding.rule, finding.severity) for finding in findings if finding.rule.startswith(OURS)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (SharedFile(name="a.jpg", program="eMule", shared=True, state="incomplete", uploaded=5), [("sharing.offered", 3)]),
        (SharedFile(name="a.jpg", program="eMule", shared=None, state="complete"), [("sharing.fetched", 2)]),
        (SharedFile(name="a.jpg", program="BitTorrent", state="listed", collection="set"), [("sharing.listed", 1)]),
        (SearchQuery(terms="words", engine="Ares", where="file sharing program"), [("sharing.search", 2)]),
        (SearchQuery(terms="words", engine="Google", where="url"), []),
        (AccountUse(service="Soulseek", account="jo", how="file sharing program"), [("sharing.account", 2)]),
        (AccountUse(service="Dropbox", account="jo", how="cloud client"), [("cloud.account", 2)]),
        (AccountUse(service="Skype", account="jo", how="messaging program"), [("messaging.account", 1)]),
        (AccountUse(service="example.org", account="jo"), []),
        (FileSeen(path="OneDrive:/a.jpg", how="cloud client"), [("cloud.files", 1)]),
        (FileSeen(path="/home/jo/Nextcloud", kind="folder", how="cloud client"), []),
        (FileSeen(path="E:\\a.hc", how="list of encrypted containers", detail="VeraCrypt: opened before"), [("encryption.container_remembered", 3)]),
        (SystemFact(name="virtual machine", value="VirtualBox: a"), [("virtual_machines.set_up", 2)]),
        (SystemFact(name="folder shared with aMule", value="/home/jo/shared"), [("sharing.folder", 2)]),
        (SystemFact(name="host name", value="x"), []),
    ],
)  # fmt: skip
def test_what_is_said(item: Observation, expected: list[tuple[str, int]]) -> None:
    assert fired(item) == expected
