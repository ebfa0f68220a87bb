"""Keyed sets: what a stick carries reveals no hash, and without the key no hash can be tested against it.

The secret (the bytes of a key file, or a passphrase in UTF-8) goes through scrypt (RFC 7914) with the set's own random salt; HKDF
(RFC 5869) makes one key for each use. An entry is stored as the AES-CMAC (RFC 4493, NIST SP 800-38B) of its digest, 128 bits. CMAC
and not HMAC, for two reasons: of a 16-byte message it is a permutation, so that a keyed MD5 set is as exact as a plain one and not
only very probably so (for SHA-1 and SHA-256 the odds of a chance match in 50,000,000 entries are 1 in 10^30); and it is computed
for a batch in one call, so that keyed look-ups run at the speed of plain ones. The kind and size of an entry are stored
under a mask that depends on the key and on the entry.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashsets.errors import Damaged, HashSetError, WrongKey
from hashsets.rows import Keys

TAG_BYTES = 16
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 16, 8, 1  # 64 MiB and about 0.2 s, once an opening
_MAX_SCRYPT_MEMORY = 1 << 28
_MIN_SECRET, _MAX_SECRET = 12, 4096


def load_key(path_or_passphrase: Path | str) -> bytes:
    """The secret to give as ``key``: a ``Path`` is a key file, whose bytes count (line ends after them do not); ``str`` is a passphrase.

    Raises ``HashSetError`` for one shorter than 12 or longer than 4096 bytes, ``OSError`` for a file that cannot be read.
    """
    if isinstance(path_or_passphrase, Path):
        with path_or_passphrase.open("rb") as stream:
            secret = stream.read(_MAX_SECRET + 3).rstrip(b"\r\n")
        what = f"The key file {path_or_passphrase.name}"
    else:
        secret = unicodedata.normalize("NFC", path_or_passphrase).encode()
        what = "The passphrase"
    if not _MIN_SECRET <= len(secret) <= _MAX_SECRET:
        raise HashSetError(f"{what} must have {_MIN_SECRET} to {_MAX_SECRET} bytes; it has {len(secret)}.")
    return secret


class Keyer:
    """Turns digests into what a keyed store holds of them."""

    def __init__(self, secret: bytes, parameters: Mapping[str, Any]) -> None:
        """``parameters`` are those of ``new_parameters`` or of the store's header. Raises ``WrongKey``, or ``Damaged`` for absurd ones."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

        try:
            salt, n, r, p = bytes.fromhex(parameters["salt"]), int(parameters["n"]), int(parameters["r"]), int(parameters["p"])
        except (KeyError, TypeError, ValueError):
            raise Damaged("The key parameters of the store are malformed.") from None
        if not (
            16 <= len(salt) <= 64 and n >= 2 and n & (n - 1) == 0 and 1 <= r <= 32 and 1 <= p <= 16 and 128 * n * r <= _MAX_SCRYPT_MEMORY
        ):
            raise Damaged("The key parameters of the store are out of range.")
        master = hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=2 * _MAX_SCRYPT_MEMORY, dklen=32)

        def subkey(use: str) -> bytes:
            return HKDFExpand(SHA256(), 32, f"field-triage hash set 1: {use}".encode()).derive(master)

        self.check = hmac.digest(subkey("check"), salt, "sha256").hex()
        if "check" in parameters and not hmac.compare_digest(self.check, str(parameters["check"])):
            raise WrongKey("The key is not the one that this hash set was built with.")
        self._cmac = {name: _Cmac(subkey(name)) for name in ("md5", "sha1", "sha256", "block")}
        self._mask = _Cmac(subkey("mask"))
        self._secret_text = subkey("text")

    def tags(self, algorithm: str, keys: Keys) -> Keys:
        """The (n, 16) tags of (n, width) kept digests."""
        return self._cmac[algorithm].of(np.ascontiguousarray(keys))

    def mask(self, tags: Keys) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """The masks of kind and of size that belong to entries with these tags."""
        mask = self._mask.of(np.ascontiguousarray(tags))
        return mask[:, 8:10].copy().view("<u2").ravel(), mask[:, :8].copy().view("<i8").ravel()

    def reveal(
        self, tags: Keys, kinds: NDArray[Any] | None, sizes: NDArray[Any] | None, only_kind: int
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """The kinds and sizes of entries from what is stored of them."""
        kind_mask, size_mask = self.mask(tags)
        plain = np.full(len(tags), only_kind) if kinds is None else kinds ^ kind_mask.astype(kinds.dtype)
        return plain, None if sizes is None else sizes ^ size_mask

    def seal(self, text: bytes) -> bytes:
        """Encrypted and authenticated (AES-256-GCM), a random nonce first."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return nonce + AESGCM(self._secret_text).encrypt(nonce, text, None)

    def unseal(self, data: bytes) -> bytes:
        """What ``seal`` was given. Raises ``Damaged``."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._secret_text).decrypt(data[:12], data[12:], None)
        except (InvalidTag, ValueError):
            raise Damaged("An encrypted part of the store is damaged.") from None


def new_keyer(secret: bytes) -> tuple[Keyer, dict[str, Any]]:
    """A keyer with a fresh salt, and the parameters that the store keeps: nothing of the key can be had from them."""
    parameters: dict[str, Any] = {"kdf": "scrypt", "salt": os.urandom(16).hex(), "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P}
    keyer = Keyer(secret, parameters)
    return keyer, {**parameters, "check": keyer.check}


class _Cmac:
    """AES-CMAC of many messages of one length, up to two blocks."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._cipher = Cipher(algorithms.AES(key), modes.ECB())
        zero = int.from_bytes(self._encrypt(np.zeros((1, 16), np.uint8)).tobytes(), "big")
        self._whole, self._padded = (np.frombuffer(_doubled(zero, times), np.uint8) for times in (1, 2))

    def _encrypt(self, blocks: Keys) -> Keys:
        data = self._cipher.encryptor().update(memoryview(np.ascontiguousarray(blocks).data))
        return np.frombuffer(data, np.uint8).reshape(-1, 16)

    def of(self, messages: Keys) -> Keys:
        """The (n, 16) tags of (n, 16) or (n, 17 to 31) messages."""
        if messages.shape[1] == TAG_BYTES:
            return self._encrypt(messages ^ self._whole)
        last = np.zeros((len(messages), TAG_BYTES), np.uint8)
        rest = messages.shape[1] - TAG_BYTES
        last[:, :rest] = messages[:, TAG_BYTES:]
        last[:, rest] = 0x80
        return self._encrypt(self._encrypt(messages[:, :TAG_BYTES]) ^ last ^ self._padded)


def _doubled(value: int, times: int) -> bytes:
    # Doubling in GF(2^128) with the polynomial of RFC 4493, section 2.3.
    for _ in range(times):
        value = (value << 1) ^ (0x87 if value >> 127 else 0)
        value &= (1 << 128) - 1
    return value.to_bytes(16, "big")
