"""A table copied from a router, as a gatherer of the survey: leases of dnsmasq or dhcpd, or anything that lists devices by hardware address."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.network import client_tables, dhcp_leases
from artefacts.observations import Observation, SystemFact
from artefacts.registry import EvidenceFile, Parser
from triage.devices.survey import Gatherer, Touch

_LARGEST = 64 << 20
_DHCPD = re.compile(rb"^\s*lease\s+[0-9a-fA-F.:]+\s*\{", re.MULTILINE)
_DNSMASQ = re.compile(rb"^\d{1,12} (?:\d\d-)?[0-9a-fA-F:]{17} [0-9a-fA-F.:]+ \S+ \S+\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that was handed to us, as an artefact wants it: it stands alone."""

    path: str
    data: bytes
    user: str | None = None
    allocated: bool = True

    @property
    def name(self) -> str:
        """The last part of its path."""
        return Path(self.path).name

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """A stream at 0."""
        return io.BytesIO(self.data)

    def read(self, limit: int) -> bytes:
        """At most the first ``limit`` bytes."""
        return self.data[:limit]

    def sibling(self, name: str) -> EvidenceFile | None:
        """None: it stands alone."""
        return None

    def siblings(self, folder: str = "") -> Sequence[EvidenceFile]:
        """Itself."""
        return () if folder else (self,)

    def folder(self, reference: str) -> str | None:
        """None: no file system is known."""
        return None

    def names(self, reference: str) -> Sequence[str] | None:
        """None: no file system is known."""
        return None


def parser(data: bytes) -> Parser:
    """What reads a table, by how it looks."""
    if _DHCPD.search(data):
        return dhcp_leases.parse_dhcpd
    return dhcp_leases.parse_dnsmasq if _DNSMASQ.search(data) else client_tables.parse


def gatherer(path: Path) -> Gatherer:
    """The devices of the table at ``path``, and its SHA-256."""
    return Gatherer(f"router's table {path.name}", lambda _: gather(path), parser="network/1", path=str(path))


def gather(path: Path) -> Iterator[Observation | Problem | Touch]:
    """``NetworkHost`` for each device, after a ``SystemFact`` with the file's digest. Raises ``OSError``."""
    with open(path, "rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        yield Problem(f"larger than {_LARGEST} bytes: no router's table is", Status.UNRECOGNISED)
        return
    yield SystemFact(name="router's table, SHA-256", value=hashlib.sha256(data).hexdigest())
    read: Callable[[EvidenceFile], Iterator[Observation | Problem]] = parser(data)
    try:
        yield from read(TableFile(str(path), data))
    except Unrecognised as error:
        yield Problem(str(error), Status.UNRECOGNISED)
    except Encrypted as error:
        yield Problem(str(error), Status.ENCRYPTED)
