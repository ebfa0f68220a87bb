"""The hosts file: blocked and redirected names, long lists, damage."""

from __future__ import annotations

from typing import Any

from artefacts.observations import PolicySetting
from artefacts.windows import hosts_file

PATH = "/Windows/System32/drivers/etc/hosts"


def test_blocked_and_redirected(evidence: Any) -> None:
    data = b"# sample\r\n127.0.0.1 localhost\r\n0.0.0.0 one.example two.example # why\r\n192.0.2.5\tthree.example\r\nnonsense here\r\n\r\n"
    observations, problems = evidence({PATH: data}).parse(hosts_file.parse, PATH)
    assert [problem.locator for problem in problems] == ["line=5"]
    assert [(item.setting, item.value, item.meaning) for item in observations if isinstance(item, PolicySetting)] == [
        ("hosts file: one.example", "0.0.0.0", "this name leads nowhere: it is blocked on this computer"),
        ("hosts file: two.example", "0.0.0.0", "this name leads nowhere: it is blocked on this computer"),
        ("hosts file: three.example", "192.0.2.5", "this name leads to the address given"),
    ]
    assert observations[-1].to_json()["value"] == "2 names blocked, 1 sent to another address"


def test_long_lists_are_counted(evidence: Any) -> None:
    data = b"".join(b"0.0.0.0 site%d.example\n" % number for number in range(5000)) + b"192.0.2.1 last.example\n"
    observations, problems = evidence({PATH: data}).parse(hosts_file.parse, PATH)
    assert problems == []
    assert len(observations) == 202 and observations[-2].to_json()["setting"] == "hosts file: last.example"
    assert observations[-1].to_json()["value"] == "5000 names blocked, 1 sent to another address"


def test_a_plain_file_and_noise(evidence: Any) -> None:
    observations, problems = evidence({PATH: b"# nothing\n::1 localhost\n"}).parse(hosts_file.parse, PATH)
    assert len(observations) == 1 and problems == []
    _, problems = evidence({PATH: b"\xff\x01 a\n" * 100}).parse(hosts_file.parse, PATH)
    assert len(problems) == 20
