"""The shipped rule on files whose dates disagree: a note for each volume, with the causes that are no one's intent."""

from __future__ import annotations

from artefacts.observations import TimestampDisagreement
from artefacts.times import Timestamp
from rules.findings import load
from triage.findings import FindingEngine
from triage.scan.emit import observation_json

WHEN = Timestamp(1_600_000_000_000_000_000)


def test_one_note_a_volume() -> None:
    engine = FindingEngine(load())
    groups = set()
    for volume, name in (("v1", "a"), ("v1", "b"), ("v2", "a")):
        item = TimestampDisagreement(
            path=f"/Users/jo/{name}.txt", created=WHEN, signs=("its record was last changed before its name was made",)
        )
        record = observation_json(item, source="s1", volume=volume, path=item.path, parser="volume_listing/1")
        [finding] = [found for found in engine.consider(record) if found.rule == "times.disagree"]
        assert (finding.severity, finding.indicates) == (2, "note") and len(finding.innocent_explanations) == 3
        assert "last changed before its name was made" in finding.explanation and "2020-09-13" in (finding.context or "")
        groups.add(finding.id)
    assert len(groups) == 2
