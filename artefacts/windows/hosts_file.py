"""The hosts file of Windows: names of computers and sites that are sent nowhere or elsewhere, past the network's own directory.

Source: RFC 952 and Microsoft's sample: an address, then names, ``#`` begins a remark.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation, PolicySetting, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.text import decode

_LARGEST = 16 << 20
_MOST_NAMES = 200
_MOST_PROBLEMS = 20


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``PolicySetting`` for each name (of long lists, which block advertising, the first), then ``SystemFact``: how many there are."""
    blocked = redirected = told = problems = 0
    for number, line in enumerate(decode(file.read(_LARGEST)).splitlines(), 1):
        words = line.partition("#")[0].strip("\0").split()
        if not words:
            continue
        try:
            address = ipaddress.ip_address(words[0].partition("%")[0])
        except ValueError:
            problems += 1
            if problems <= _MOST_PROBLEMS:
                yield Problem("a line without an address", Status.FAILED, f"line={number}")
            continue
        nowhere = address.is_loopback or address.is_unspecified
        for name in words[1:]:
            if (
                name.lower() in ("localhost", "localhost.localdomain", "broadcasthost", "local", "ip6-localhost", "ip6-loopback")
                and nowhere
            ):
                continue
            blocked, redirected = blocked + nowhere, redirected + (not nowhere)
            if told < _MOST_NAMES or not nowhere:
                told += 1
                if told > 10 * _MOST_NAMES:
                    continue
                meaning = "this name leads nowhere: it is blocked on this computer" if nowhere else "this name leads to the address given"
                yield PolicySetting(
                    program="Windows", setting=f"hosts file: {name}", value=words[0], meaning=meaning, locator=f"line={number}"
                )
    yield SystemFact(name="hosts file", value=f"{blocked} names blocked, {redirected} sent to another address")


ARTEFACTS = (
    Artefact(
        id="windows.hosts_file",
        title="Hosts file",
        meaning="Sites that this computer is told not to reach, or to reach elsewhere. Protection against advertising writes long lists.",
        paths=("Windows/System32/drivers/etc/hosts", "WINNT/System32/drivers/etc/hosts"),
        parse=parse,
        references=("https://www.rfc-editor.org/rfc/rfc952",),
        systems=("windows",),
    ),
)
