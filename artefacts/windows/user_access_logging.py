"""User Access Logging of Windows Server (``{GUID}.mdb``, ``Current.mdb``): which account used which role of this server, from which address.

ESE databases; ``SystemIdentity.mdb`` beside them names the machine and its roles. Times are FILETIMEs (UTC).

Source: Microsoft, "Manage User Access Logging"; B. Moran, "User Access Logging (UAL)" (CrowdStrike, 2021).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import AccountUse, NetworkHost, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED
from artefacts.windows.ese import EseDatabase

_IDENTITY = "SystemIdentity.mdb"


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AccountUse`` for each account, role and address, ``NetworkHost`` for each name met, ``SystemFact`` for each role in use."""
    with file.open() as stream:
        database = EseDatabase(stream)
        yield from database.problems
        if database.tables and "CLIENTS" not in database.tables:
            raise Unrecognised("a database, but not of User Access Logging")
        roles = _roles(file)
        for row in database.rows(
            "CLIENTS", ("RoleGuid", "InsertDate", "LastAccess", "Address", "AuthenticatedUserName", "TotalAccesses"), ("ClientName",)
        ):
            if isinstance(row, Problem):
                yield row
                continue
            role, address = roles.get(row["RoleGuid"] or "", row["RoleGuid"]) or "unknown role", _address(row["Address"])
            client = f" ({row['ClientName']})" if row["ClientName"] else ""
            yield AccountUse(
                service=role, account=row["AuthenticatedUserName"], time=row["InsertDate"] or NOT_RECORDED, last=row["LastAccess"] or NOT_RECORDED,
                count=row["TotalAccesses"], how=f"User Access Logging, from {address}{client}",
                locator=f"table=CLIENTS role={row['RoleGuid']} address={address}",
            )  # fmt: skip
        for row in database.rows("DNS", ("LastSeen", "Address", "HostName")):
            if isinstance(row, Problem):
                yield row
            else:
                yield NetworkHost(
                    address=row["Address"] or "", name=row["HostName"], last=row["LastSeen"] or NOT_RECORDED, how="User Access Logging",
                    locator=f"table=DNS address={row['Address']} name={row['HostName']}",
                )  # fmt: skip
        for row in database.rows("ROLE_ACCESS", ("RoleGuid", "FirstSeen", "LastSeen")):
            if isinstance(row, Problem):
                yield row
            else:
                named = roles.get(row["RoleGuid"] or "", row["RoleGuid"])
                for word, column in (("first", "FirstSeen"), ("last", "LastSeen")):
                    yield SystemFact(
                        name=f"role of this server {word} used", value=str(named), time=row[column] or NOT_RECORDED,
                        locator=f"table=ROLE_ACCESS role={row['RoleGuid']}",
                    )  # fmt: skip


def parse_identity(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``SystemFact`` for each identity that the server has had, from SystemIdentity.mdb."""
    with file.open() as stream:
        database = EseDatabase(stream)
        yield from database.problems
        if database.tables and "SYSTEM_IDENTITY" not in database.tables:
            raise Unrecognised("a database, but not of User Access Logging")
        wanted = ("SystemDNSHostName", "SystemDomainName", "OSBuildNumber", "SystemManufacturer", "SystemProductName", "SystemSerialNumber")
        for number, row in enumerate(database.rows("SYSTEM_IDENTITY", ("CreationTime", *wanted[:3]), wanted[3:])):
            if isinstance(row, Problem):
                yield row
                continue
            words = ", ".join(str(row[column]) for column in wanted if row[column] not in (None, ""))
            yield SystemFact(
                name="server identity", value=words, time=row["CreationTime"] or NOT_RECORDED, locator=f"table=SYSTEM_IDENTITY row={number}"
            )


def _roles(file: EvidenceFile) -> dict[str, str]:
    """The names of roles by GUID; empty where the database that has them is not there or cannot be read: it is reported as its own file."""
    identity = file.sibling(_IDENTITY)
    if identity is None:
        return {}
    with identity.open() as stream:
        try:
            database = EseDatabase(stream)
        except Unrecognised:
            return {}
        rows = [row for row in database.rows("ROLE_IDS", ("RoleGuid", "RoleName")) if not isinstance(row, Problem)]
        return {row["RoleGuid"]: row["RoleName"] for row in rows if row["RoleGuid"] and row["RoleName"]}


def _address(raw: bytes | None) -> str:
    return str(ipaddress.ip_address(raw)) if raw and len(raw) in (4, 16) else "unknown address"


def _artefact(name: str, title: str, paths: tuple[str, ...], parse: object) -> Artefact:
    return Artefact(
        id=f"windows.user_access_logging.{name}",
        title=title,
        meaning="On a Windows server: which accounts used it, from which addresses, and when.",
        paths=paths,
        parse=parse,  # type: ignore[arg-type]
        references=("https://learn.microsoft.com/windows-server/administration/user-access-logging/manage-user-access-logging",),
        systems=("windows",),
        validation="specimen of Windows Server 2019",
    )


ARTEFACTS = (
    _artefact("clients", "User Access Logging", ("**/LogFiles/Sum/{*}.mdb", "**/LogFiles/Sum/Current.mdb"), parse),
    _artefact("identity", "User Access Logging: the server", ("**/LogFiles/Sum/SystemIdentity.mdb",), parse_identity),
)
