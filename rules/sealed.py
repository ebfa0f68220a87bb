"""Lists of a force that stay encrypted on the stick, and are decrypted in memory only.

A file: ``MAGIC``, 16 bytes of salt, 16 of check value, 12 of nonce, then AES-256-GCM (NIST SP 800-38D) of one line with the name of the list and
its content; all before the ciphertext is authenticated with it. scrypt (RFC 7914) of the secret and the salt gives 48 bytes: the key, and the
check value by which a wrong key and a damaged file are told apart.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from pathlib import Path

MAGIC = b"triage sealed list 1\n"
SUFFIX = ".sealed"
MIN_SECRET, MAX_SECRET = 12, 4096
_SALT, _CHECK, _NONCE = 16, 16, 12
_HEAD = len(MAGIC) + _SALT + _CHECK + _NONCE
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 1, "maxmem": 1 << 28}  # 64 MiB and about 0.2 s, once a file


class WrongKey(Exception):
    """No key was given, or not the one with which the list was encrypted."""


def load_secret(path: Path) -> bytes:
    """The secret in a key file: its bytes, without line ends after them. Raises ``ValueError`` for fewer than 12 or more than 4096, ``OSError``."""
    with path.open("rb") as stream:
        secret = stream.read(MAX_SECRET + 3).rstrip(b"\r\n")
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise ValueError(f"the key file {path.name} must have {MIN_SECRET} to {MAX_SECRET} bytes; it has {len(secret)}")
    return secret


def is_sealed(data: bytes) -> bool:
    """Whether these bytes begin like an encrypted list."""
    return data.startswith(MAGIC)


def seal(name: str, data: bytes, secret: bytes) -> bytes:
    """``data`` of the list ``name`` (whose ending tells its format), encrypted."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = os.urandom(_SALT)
    key, check = _keys(secret, salt)
    nonce = os.urandom(_NONCE)
    head = MAGIC + salt + check + nonce
    return head + AESGCM(key).encrypt(nonce, name.encode("utf-8", "replace").replace(b"\n", b" ") + b"\n" + data, head)


def unseal(data: bytes, secret: bytes | None, what: str) -> tuple[str, bytes]:
    """The name and the content of an encrypted list. ``what``: how it is called in errors.

    Raises ``WrongKey``, and ``ValueError`` for a file that is damaged.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if secret is None:
        raise WrongKey(f"{what} is encrypted: name its key file")
    if len(data) < _HEAD + 16:
        raise ValueError("is encrypted and cut short")
    head, at = data[:_HEAD], len(MAGIC)
    key, check = _keys(secret, head[at : at + _SALT])
    if not hmac.compare_digest(check, head[at + _SALT : at + _SALT + _CHECK]):
        raise WrongKey(f"the key is not the one with which {what} was encrypted, or its beginning is damaged")
    try:
        name, _, content = AESGCM(key).decrypt(head[-_NONCE:], data[_HEAD:], head).partition(b"\n")
    except InvalidTag:
        raise ValueError("is encrypted and damaged") from None
    return name.decode("utf-8", "replace"), content


def key_for(purpose: bytes, data: bytes, secret: bytes) -> bytes:
    """A key of 32 bytes for what belongs to an encrypted list, whose bytes are ``data``: HKDF (RFC 5869) of the list's own key."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key, _ = _keys(secret, data[len(MAGIC) : len(MAGIC) + _SALT])
    return HKDF(SHA256(), 32, None, b"triage " + purpose).derive(key)


@lru_cache(maxsize=8)  # as slow as it is meant to be: once is enough
def _keys(secret: bytes, salt: bytes) -> tuple[bytes, bytes]:
    derived = hashlib.scrypt(secret, salt=salt, dklen=32 + _CHECK, **_SCRYPT)
    return derived[:32], derived[32:]
