"""Where a compiled database is kept between scans, and why it can be believed.

Of plain lists it is kept as it is, with its SHA-256. Of encrypted lists it is encrypted, as the terms could be read out of it: AES-256-GCM (NIST
SP 800-38D) under a key drawn from the list's own (``rules.sealed.key_for``). Either is bound to its file name, which says of which lists,
engine and version it is: one that was renamed would find the words of others.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PLAIN, _SEALED = b"triage keywords 2\n", b"triage sealed keywords 1\n"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of compiled databases; ``key`` (32 bytes) encrypts them."""

    folder: Path
    key: bytes | None = field(default=None, repr=False)

    def load(self, name: str) -> bytes | None:
        """What was kept as ``name``; None where it is absent, damaged or another's."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError:
            return None
        if self.key is None:
            head = len(_PLAIN) + 32
            return data[head:] if data.startswith(_PLAIN) and _sum(name, data[head:]) == data[len(_PLAIN) : head] else None
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head = len(_SEALED) + _NONCE
        if not data.startswith(_SEALED) or len(data) < head:
            return None
        try:
            return AESGCM(self.key).decrypt(data[len(_SEALED) : head], data[head:], _SEALED + name.encode())
        except InvalidTag:
            return None

    def keep(self, name: str, payload: bytes) -> None:
        """Keep ``payload`` as ``name``. A folder that cannot be written is no error."""
        if self.key is None:
            data = _PLAIN + _sum(name, payload) + payload
        else:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            nonce = os.urandom(_NONCE)
            data = _SEALED + nonce + AESGCM(self.key).encrypt(nonce, payload, _SEALED + name.encode())
        draft = self.folder / f"{name}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
            draft.replace(self.folder / name)
        except OSError:
            with suppress(OSError):
                draft.unlink()


def _sum(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + payload).digest()
