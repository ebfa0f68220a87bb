"""``stick.json``: every file of a stick with size and SHA-256; ``stick.sig``: the keeper's signature over it.

``stick.json``: schema, name, created (RFC 3339), expires (a date or null), use_until {file: date}, keeper {name, public_key, certificates},
files {path: {size, sha256, ends}}. ``ends`` is the SHA-256 over the first and the last ``END`` bytes, for files that a quick check does not
read through. Of a bundle only its own list (portable/integrity.py) stands here: what that list says of the bundle's files is thereby signed too.
``stick.sig``: the signature in base64 over ``triage stick``, a line end and the SHA-256 of ``stick.json`` in hexadecimal digits.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.stick.layout import LIST, SIGNATURE

if TYPE_CHECKING:
    from triage.keys import Signer

SCHEMA = "triage-stick/1"
END = 1 << 16
WHOLE = 4 << 20
"""Files up to this size are read through by a quick check too."""
MAX_LIST = 32 << 20


class ListError(Exception):
    """The signed list is not what a keeper signed; the text says why in one sentence."""


@dataclass(slots=True)
class StickList:
    """What the signed list says. ``digest``: the SHA-256 of the list itself, in hexadecimal digits."""

    name: str
    created: str
    expires: str | None
    use_until: dict[str, str]
    keeper: dict[str, Any]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    digest: str = ""

    @property
    def fingerprint(self) -> str:
        """Of the keeper's key: what the label on the stick says, and what an officer can compare."""
        digits = hashlib.sha256(base64.b64decode(self.keeper["public_key"])).hexdigest()[:24].upper()
        return " ".join(digits[start : start + 4] for start in range(0, 24, 4))

    def below(self, folder: str) -> list[str]:
        """The listed files in a folder, in order of name."""
        return sorted(name for name in self.files if name.startswith(folder + "/"))


def describe(path: Path) -> dict[str, Any]:
    """The entry of a file: size, SHA-256, and ``ends`` for a large one. Raises ``OSError``."""
    with open(path, "rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return {"size": size, "sha256": whole, **({"ends": ends(path, size)} if size > WHOLE else {})}


def ends(path: Path, size: int) -> str:
    """The SHA-256 over the first and the last ``END`` bytes. Raises ``OSError``."""
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read(END))
        file.seek(max(0, size - END))
        digest.update(file.read(END))
    return digest.hexdigest()


def write(root: Path, facts: dict[str, Any], files: dict[str, dict[str, Any]], signer: Signer) -> StickList:
    """Write the list and its signature. ``facts``: name, created, expires, use_until. Raises ``OSError``, ``SigningKeyError``."""
    from cryptography.hazmat.primitives.serialization import Encoding

    chain = [item.public_bytes(Encoding.PEM).decode("ascii") for item in signer.certificates]
    keeper = {"name": signer.name, "public_key": signer.public_key, "certificates": chain}
    data = json.dumps({"schema": SCHEMA, **facts, "keeper": keeper, "files": dict(sorted(files.items()))}, indent=1).encode() + b"\n"
    signature = base64.b64encode(signer.sign(_message(data))) + b"\n"
    for name, content in ((LIST, data), (SIGNATURE, signature)):
        with open(root / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return read(root)


def read(root: Path) -> StickList:
    """The list, its signature checked against the key that it names itself: whose key that is, is for the caller to ask. Raises ``ListError``."""
    from triage.keys import verifies

    try:
        with open(root / LIST, "rb") as file:
            data = file.read(MAX_LIST + 1)
        signature = (root / SIGNATURE).read_bytes()[:1000].decode("ascii", "replace").strip()
    except OSError as error:
        raise ListError(f"{Path(error.filename or LIST).name} cannot be read: {error.strerror or error}") from None
    try:
        facts: dict[str, Any] = json.loads(data) if len(data) <= MAX_LIST else {}
        found = StickList(
            str(facts["name"]), str(facts["created"]), facts["expires"], {str(k): str(v) for k, v in facts["use_until"].items()},
            {"name": str(facts["keeper"]["name"]), "public_key": str(facts["keeper"]["public_key"]),
             "certificates": [str(text) for text in facts["keeper"]["certificates"]]},
            {str(name): {"size": int(entry["size"]), "sha256": str(entry["sha256"]), "ends": entry.get("ends")} for name, entry in facts["files"].items()},
            hashlib.sha256(data).hexdigest(),
        )  # fmt: skip
        if facts["schema"] != SCHEMA:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ListError(f"{LIST} is damaged") from None
    if not verifies(found.keeper["public_key"], signature, _message(data)):
        raise ListError(f"{LIST} was changed after the keeper signed it")
    return found


def _message(data: bytes) -> bytes:
    return b"triage stick\n" + hashlib.sha256(data).hexdigest().encode("ascii")
