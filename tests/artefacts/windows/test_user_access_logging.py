"""User Access Logging: the specimen's accounts, addresses and roles, damage. No library here writes an ESE database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import AccountUse, NetworkHost, SystemFact
from artefacts.windows import user_access_logging

FOLDER = "/Windows/System32/LogFiles/Sum"
NAME = "{C519A76A-D9B5-4F85-B667-5FAC08E0E1B4}.mdb"


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked(f"ese/plaso/{NAME}.xz").read_bytes()
    identity = unpacked("ese/plaso/SystemIdentity.mdb.xz").read_bytes()
    case = evidence({f"{FOLDER}/{NAME}": data, f"{FOLDER}/SystemIdentity.mdb": identity})
    observations, problems = case.parse(user_access_logging.parse, f"{FOLDER}/{NAME}")
    assert [problem for problem in problems if problem.status != "parsed"] == []
    uses = [item for item in observations if isinstance(item, AccountUse)]
    hosts = [item for item in observations if isinstance(item, NetworkHost)]
    roles = [item for item in observations if isinstance(item, SystemFact)]
    servers, _ = case.parse(user_access_logging.parse_identity, f"{FOLDER}/SystemIdentity.mdb")
    # A role has a first and a last time: two facts.
    assert len(uses) + len(hosts) + len(roles) // 2 + len(servers) == 25
    first = uses[0].to_json()
    assert (first["service"], first["account"], first["count"]) == ("Active Directory Domain Services", "ual\\dc-1$", 62)
    assert (first["time"], first["last"]) == ("2022-07-16T14:50:27.077345Z", "2022-07-16T15:02:52.7424758Z")
    assert first["how"].endswith("from ::1")
    assert ("10.0.10.10", "dc-1", "2022-07-16T15:02:53.083Z") in [(h.address, h.name, h.to_json()["last"]) for h in hosts]
    assert servers[0].to_json()["time"] == "2022-07-16T14:46:12.570Z"
    assert servers[0].to_json()["value"].startswith("DC-1, WORKGROUP, 17763")
    file_server = [role.to_json() for role in roles if role.value == "File Server"]
    assert [fact["time"] for fact in file_server] == ["2022-07-16T14:52:50.2088607Z", "2022-07-16T15:00:59.3156655Z"]
    for copy in mutations(data, 8):
        try:
            evidence({"/x/a.mdb": copy}).parse(user_access_logging.parse, "/x/a.mdb")
        except Unrecognised:
            pass


@pytest.mark.specimens
def test_another_database_is_refused(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    case = evidence({"/a.mdb": unpacked("ese/dissect/basic.edb.gz").read_bytes()})
    for parser in (user_access_logging.parse, user_access_logging.parse_identity):
        with pytest.raises(Unrecognised):
            case.parse(parser, "/a.mdb")
