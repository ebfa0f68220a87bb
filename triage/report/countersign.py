"""Countersignatures: who vouches for a sealed case later, at the station, without a byte of what was sealed being changed.

``countersign.json`` lies beside ``seal.json``: ``{"format", "countersignatures": [{…}]}``, each::

    time               when it was made, RFC 3339 in UTC, by the clock of the computer at the station
    name               what the signer says of himself, worth no more than the key
    seal_sha256        SHA-256 of seal.json as it was then; the seal covers the manifest, and that everything else
    previous           SHA-256 of the countersignature before it as it stands in the file, 64 zeros in the first
    public_key         the raw public key, base64
    certificates       X.509 certificates in PEM, the signer's first
    signature          over "triage countersignature\\n" and all of the above as canonical JSON, base64

The file is written in one form only (``encode``), so that no byte of it can be changed unnoticed. Taking the last ones away cannot be seen:
an officer who must show that he signed keeps a copy.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.journal import ZERO, now
from triage.keys import Signer, verifies
from triage.report.files import replacing
from triage.report.seal import COUNTERSIGN, SEAL, SealError, digest_file
from triage.report.trust import Identity, Trusted, identify

FORMAT = "triage countersignatures 1"
KEYS = ("time", "name", "seal_sha256", "previous", "public_key", "certificates", "signature")
MAX_COUNTERSIGNATURES = 50
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Countersignature:
    """One whose signature fits. ``time`` as asserted, RFC 3339."""

    time: str
    identity: Identity


def encode(value: Mapping[str, Any]) -> bytes:
    """The bytes of the file, or of one countersignature."""
    return json.dumps(value, indent=1).encode("ascii") + b"\n"


def message(entry: Mapping[str, Any]) -> bytes:
    """What a countersignature signs."""
    return b"triage countersignature\n" + encode({key: value for key, value in entry.items() if key != "signature"})


def countersign(case: Path, signer: Signer) -> dict[str, Any]:
    """Add a countersignature to the sealed case; returns it. It is for the caller to have verified the case.

    Raises ``SealError`` where there is no seal or no room, ``OSError``, ``SigningKeyError`` (a token).
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    if not (case / SEAL).is_file():
        raise SealError("the case is not sealed: there is nothing to countersign")
    path = case / COUNTERSIGN
    entries = _entries(path.read_bytes()) if path.exists() else []
    if entries is None:
        raise SealError(f"{COUNTERSIGN} was altered")
    if len(entries) >= MAX_COUNTERSIGNATURES:
        raise SealError(f"there are {MAX_COUNTERSIGNATURES} countersignatures already")
    entry: dict[str, Any] = {
        "time": now(),
        "name": signer.name[:MAX_NAME],
        "seal_sha256": digest_file(case / SEAL)[1],
        "previous": _digest(entries[-1]) if entries else ZERO,
        "public_key": signer.public_key,
        "certificates": [item.public_bytes(Encoding.PEM).decode("ascii") for item in signer.certificates],
    }
    entry["signature"] = base64.b64encode(signer.sign(message(entry))).decode("ascii")
    with replacing(path) as file:
        file.write(encode({"format": FORMAT, "countersignatures": [*entries, entry]}))
    return entry


def check(data: bytes, seal: bytes, trusted: Trusted, proved: datetime | None) -> tuple[list[Countersignature], list[str]]:
    """The countersignatures in the file ``data`` that fit ``seal``, and what is wrong with the others, in words without their subject.

    ``proved``: when the case existed already by a trusted time stamp.
    """
    entries = _entries(data)
    if entries is None or encode({"format": FORMAT, "countersignatures": entries}) != data:
        return [], ["was altered: it is not in the form in which it was written"]
    good, problems, previous = [], [], ZERO
    sealed = hashlib.sha256(seal).hexdigest()
    for number, entry in enumerate(entries, start=1):
        if not verifies(entry["public_key"], entry["signature"], message(entry)):
            problems.append(f"was altered: signature {number} does not fit")
        elif entry["seal_sha256"] != sealed:
            problems.append(f"is of another case, or the seal was made again: signature {number} is for another seal")
        elif entry["previous"] != previous:
            problems.append(f"was altered: signature {number} does not follow the one before it")
        else:
            identity = identify(
                entry["public_key"], entry["certificates"], entry["name"] or "nobody named", trusted, entry["time"], proved=proved
            )
            good.append(Countersignature(entry["time"], identity))
        previous = _digest(entry)
    return good, problems


def _digest(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(encode(entry)).hexdigest()


def _entries(data: bytes) -> list[dict[str, Any]] | None:
    """The countersignatures of a file, each with the right fields; None for anything that is not one."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    entries = value.get("countersignatures") if isinstance(value, dict) and value.get("format") == FORMAT else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_COUNTERSIGNATURES:
        return None
    return entries if all(_is_entry(entry) for entry in entries) else None


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and tuple(entry) == KEYS
        and all(isinstance(entry[key], str) for key in KEYS if key != "certificates")
        and len(entry["name"]) <= MAX_NAME
        and isinstance(entry["certificates"], list)
        and all(isinstance(item, str) for item in entry["certificates"])
    )
