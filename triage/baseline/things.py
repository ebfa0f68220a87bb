"""What of a computer is compared between two visits: things that are there or not, by source, and visits by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

TYPES = ("Device", "EncryptedItem", "InstalledProgram", "KnownNetwork", "PageVisit", "Software", "SystemFact", "UserAccount", "AccountUse")
KINDS = ("account", "device", "encrypted item", "network", "online account", "program")
ANCHORS = frozenset(("computer name", "host name", "machine id", "hardware uuid", "serial number", "product id", "installation date"))
"""Facts that tell one computer from another; with the identifiers of its accounts, which hold the machine's own number on Windows."""
MOST = 100_000
"""Things of a kind that are kept for a source, and profiles times days."""


class Things:
    """Collects, from observations as journalled, in any order."""

    def __init__(self) -> None:
        self.things: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # (source, kind) → identity → how it is called
        self.anchors: defaultdict[str, set[str]] = defaultdict(set)
        self.visits: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)  # (source, profile) → day → visits
        self.dropped = 0

    def feed(self, item: Mapping[str, Any]) -> None:
        """Take one observation of ``TYPES``; what was recovered from deleted records is no sign that a thing is there."""
        source = str(item["provenance"]["source"])
        kind = item["type"]
        if item["provenance"].get("recovered"):
            return
        if kind == "PageVisit":
            self._visit(source, item)
        elif kind == "SystemFact":
            if str(item.get("name", "")).lower() in ANCHORS and item.get("value"):
                self.anchors[source].add(f"{item['name'].lower()}={item['value']}")
        elif kind == "Device":
            for name in item.get("identifiers") or ():
                self._add(source, "device", str(name), str(item.get("title") or item.get("kind")))
        elif kind == "Software":
            if item.get("state") in ("installed", "present"):
                self._add(source, "program", f"software:{item['software']}", str(item["name"]))
        elif kind == "InstalledProgram":
            if "extension" not in str(item.get("how") or ""):
                self._add(source, "program", str(item["name"]).casefold(), str(item["name"]))
        elif kind == "UserAccount":
            identity = str(item.get("identifier") or item["name"])
            self._add(source, "account", identity, str(item["name"]))
            if identity.startswith("S-1-5-21-"):
                self.anchors[source].add(identity.rpartition("-")[0])
        elif kind == "AccountUse":
            self._add(source, "online account", f"{item['service']}\0{item.get('account') or ''}", str(item["service"]))
        elif kind == "KnownNetwork":
            self._add(source, "network", str(item["name"]), str(item["name"]))
        elif kind == "EncryptedItem":
            self._add(source, "encrypted item", f"{item['kind']}\0{item['path']}", f"{item['kind']} ({item['path']})")

    def _visit(self, source: str, item: Mapping[str, Any]) -> None:
        time = item.get("time")
        if not isinstance(time, str) or str(item.get("source") or "").startswith("another device"):
            return
        days = self.visits[source, "\0".join(str(item.get(name) or "") for name in ("browser", "profile", "user"))]
        if time[:10] in days or len(days) < MOST:
            days[time[:10]] += 1
        else:
            self.dropped += 1

    def _add(self, source: str, kind: str, identity: str, name: str) -> None:
        kept = self.things[source, kind]
        if identity in kept:
            kept[identity] = min(kept[identity], name)
        elif len(kept) < MOST:
            kept[identity] = name
        else:
            self.dropped += 1
