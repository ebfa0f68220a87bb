"""The baseline of a visit: what was on a device, as digests and numbers, signed. No name, address or path of the subject is in it.

JSON: ``body`` (text of a JSON object), ``public_key`` and ``signature`` (base64, over ``triage baseline\\n`` + body). The body has
``schema``, ``case_id``, ``journal_head``, ``finished``, ``tool``, ``secret`` (of the digests: HMAC-SHA-256, the first 12 bytes), and
``sources``: for each its ``anchors``, ``things`` {kind: [digest]}, ``catalogue`` [ids of the shipped software catalogue] and ``visits``
{digest of the profile: {day: number}}.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.baseline.things import KINDS, TYPES, Things

if TYPE_CHECKING:
    from triage.keys import Signer

SCHEMA = "triage-baseline/1"
MAX_BYTES = 256 << 20


class BaselineError(Exception):
    """The file is no baseline that can be used; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline that was read and whose signature holds. ``sha256`` of the file."""

    body: Mapping[str, Any]
    public_key: str
    sha256: str

    def digest(self, kind: str, identity: str) -> str:
        """The digest under which the baseline holds a thing."""
        return keyed(bytes.fromhex(self.body["secret"]), kind, identity)

    def to_json(self) -> dict[str, Any]:
        """What the journal says of it."""
        return {"sha256": self.sha256, "case_id": self.body["case_id"], "finished": self.body["finished"], "public_key": self.public_key}


def keyed(secret: bytes, kind: str, identity: str) -> str:
    """96 bits of HMAC-SHA-256, hex."""
    message = f"{kind}\0{identity}".encode("utf-8", "surrogatepass")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:24]


def make(case: Path, signer: Signer) -> bytes:
    """The baseline of the case in folder ``case``, as the bytes of a file. Raises ``JournalError``, ``OSError``."""
    from triage.journal import now
    from triage.report.case import load
    from triage.report.records import read

    loaded = load(case)
    things = Things()
    head = ""
    for record in read(case):
        if record.kind == "observation" and record.data["type"] in TYPES:
            things.feed(record.data)
    head = hashlib.sha256((case / "journal.jsonl").read_bytes().rstrip(b"\n").rpartition(b"\n")[2]).hexdigest()
    secret = secrets.token_bytes(32)
    body = json.dumps(
        {
            "schema": SCHEMA,
            "case_id": loaded.opened.get("case_id"),
            "journal_head": head,
            "finished": loaded.attempts[-1].finished if loaded.attempts else None,
            "made": now(),
            "complete": loaded.complete,
            "tool": loaded.opened.get("tool"),
            "secret": secret.hex(),
            "sources": [_source(str(source["id"]), things, secret) for source in loaded.sources],
        }
    )
    signature = base64.b64encode(signer.sign(_message(body))).decode()
    return json.dumps({"body": body, "public_key": signer.public_key, "signature": signature}, indent=1).encode("ascii") + b"\n"


def _source(name: str, things: Things, secret: bytes) -> dict[str, Any]:
    return {
        "anchors": sorted(keyed(secret, "anchor", anchor) for anchor in things.anchors[name]),
        "things": {kind: sorted(keyed(secret, kind, identity) for identity in things.things[name, kind]) for kind in KINDS},
        "catalogue": sorted(i.removeprefix("software:") for i in things.things[name, "program"] if i.startswith("software:")),
        "visits": {
            keyed(secret, "profile", profile): dict(sorted(days.items()))
            for (source, profile), days in sorted(things.visits.items())
            if source == name
        },
    }


def _message(body: str) -> bytes:
    return b"triage baseline\n" + body.encode("ascii")


def load(path: Path) -> Baseline:
    """Read a baseline and check its signature. Raises ``BaselineError``, ``OSError``."""
    from triage.keys import verifies

    if path.stat().st_size > MAX_BYTES:
        raise BaselineError(f"{path} is too large for a baseline")
    data = path.read_bytes()
    try:
        outer = json.loads(data)
        body = json.loads(outer["body"])
        sound = body["schema"] == SCHEMA and bytes.fromhex(body["secret"]) and all(_is_source(item) for item in body["sources"])
        key, message = outer["public_key"], _message(outer["body"])
        signed = verifies(key, outer["signature"], message)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BaselineError(f"{path} is no baseline") from error
    if not sound:
        raise BaselineError(f"{path} is no baseline of a kind that this version knows")
    if not signed:
        raise BaselineError(f"{path} was changed after it was made: its signature does not hold")
    return Baseline(body, key, hashlib.sha256(data).hexdigest())


def _is_source(item: Any) -> bool:
    return (
        all(isinstance(item["things"][kind], list) for kind in KINDS)
        and isinstance(item["anchors"], list)
        and isinstance(item["catalogue"], list)
        and all(isinstance(count, int) for days in item["visits"].values() for count in days.values())
    )
