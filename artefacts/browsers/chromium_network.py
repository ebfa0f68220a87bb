"""Servers that a Chromium browser spoke to, as its network part notes them: ``Network Persistent State`` and ``TransportSecurity``.

Sources: Chromium's net/http/http_server_properties_manager.cc (``net.http_server_properties``, versions 1 to 5) and
net/http/transport_security_persister.cc (the names are SHA-256 digests; times are Unix seconds with a fraction).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from artefacts.browsers.profiles import CHROMIUM, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import SiteTrace, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp, from_unix

LARGEST = 64 << 20  # bytes


def _tree(file: EvidenceFile) -> dict[str, Any] | str:
    """The object in a file of JSON, or why there is none. Raises ``Unrecognised``."""
    data = file.read(LARGEST + 1)
    if not data.lstrip().startswith(b"{"):
        raise Unrecognised("not a file of JSON")
    try:
        tree = json.loads(data[: LARGEST + 1])
    except (ValueError, RecursionError) as error:
        return f"damaged ({error}): not read"
    return tree if isinstance(tree, dict) else "holds no object"


def parse_servers(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each server; no time is recorded."""
    if not file.size:
        return
    owned, tree = owner(file, CHROMIUM), _tree(file)
    if isinstance(tree, str):
        yield Problem(tree, Status.FAILED)
        return
    told: set[str] = set()
    for place, address in _servers(tree):
        if address not in told:
            told.add(address)
            yield SiteTrace(url=address, what="server that the browser spoke to", locator=place, **owned.labels)


def _servers(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    net = tree.get("net")
    properties = net.get("http_server_properties") if isinstance(net, dict) else None
    if not isinstance(properties, dict):
        return
    servers = properties.get("servers")
    for number, item in enumerate(servers if isinstance(servers, list) else [servers]):
        if not isinstance(item, dict):
            continue
        named = item.get("server")  # since version 5 a field; before, the servers were the keys
        for address in [named] if isinstance(named, str) else item:
            yield f"net.http_server_properties.servers[{number}]", address if "://" in address else f"https://{address}"


def parse_security(file: EvidenceFile) -> Results:
    """``SystemFact``: how many sites asked to be opened over an encrypted connection only, and the first and last time of asking."""
    if not file.size:
        return
    owned, tree = owner(file, CHROMIUM), _tree(file)
    if isinstance(tree, str):
        yield Problem(tree, Status.FAILED)
        return
    sites = tree.get("sts")
    entries = sites if isinstance(sites, list) else list(tree.values())
    seen = [time for item in entries if isinstance(item, dict) and (time := _observed(item)) is not None]
    for name, time in (("first", min(seen, default=None)), ("last", max(seen, default=None))):
        if time is not None:
            yield SystemFact(
                name=f"browser noted a secure site ({name} time)",
                value=f"{owned.browser}, profile {owned.profile}: {len(seen)} sites, their names are not kept",
                time=time,
                locator="sts_observed",
            )


def _observed(item: dict[str, Any]) -> Timestamp | None:
    value = item.get("sts_observed")
    time = from_unix(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return time if isinstance(time, Timestamp) else None


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.servers",
        title="Chromium browsers: servers spoken to",
        meaning="Servers that pages or the browser itself fetched something from. It outlives a deleted history; it does not say who asked.",
        paths=("**/Network Persistent State",),
        parse=parse_servers,
        references=("https://chromium.googlesource.com/chromium/src/+/main/net/http/http_server_properties_manager.cc",),
        validation="whole profile of Chrome 64",
    ),
    Artefact(
        id="browsers.chromium.secure_sites",
        title="Chromium browsers: dates of secure sites",
        meaning="When sites first and last asked to be opened over an encrypted connection only: days on which the browser was used.",
        paths=("**/TransportSecurity",),
        parse=parse_security,
        references=("https://chromium.googlesource.com/chromium/src/+/main/net/http/transport_security_persister.cc",),
        validation="whole profiles of Chrome 42 and 64",
    ),
)
