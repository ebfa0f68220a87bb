"""What both versions of LUKS share: sector encryption and the anti-forensic splitter.

Formats: "LUKS On-Disk Format Specification" 1.2.3 (Clemens Fruhwirth), "LUKS2 On-Disk Format Specification" 1.1.1 (Milan Broz),
dm-crypt's documentation for the initialisation vectors.
"""

from __future__ import annotations

import hashlib
import struct

from triage.evidence.bytesource import RetryingBytes, overlapping
from triage.evidence.model import ByteSource

CIPHERS = ("aes-xts-plain64", "aes-xts-plain", "aes-cbc-plain64", "aes-cbc-plain", "aes-cbc-essiv:sha256")
"""What installers have used: XTS since 2013, CBC with ESSIV before."""
MAX_WORK = 100_000_000
"""PBKDF2 iterations or Argon2 passes times KiB. cryptsetup's own choices take some seconds; a header that asks for minutes is damaged
or hostile."""
MAX_MATERIAL = 4 << 20


class LuksError(Exception):
    """The header is damaged, or asks for what this program does not do. The text says which."""


class LuksBytes(RetryingBytes):
    """The decrypted bytes of a LUKS data segment: ``size`` bytes at ``offset`` of ``data``, in sectors of ``sector`` bytes; the first
    sector's initialisation vector is ``tweak``."""

    def __init__(self, data: ByteSource, offset: int, size: int, cipher: str, key: bytes, sector: int = 512, tweak: int = 0) -> None:
        super().__init__(size // sector * sector, sector)
        self._data = data
        self._offset = offset
        self._cipher = cipher
        self._key = key
        self._tweak = tweak

    def _read(self, offset: int, length: int) -> bytes:
        first = offset // self._sector * self._sector
        end = -(-(offset + length) // self._sector) * self._sector
        raw = self._data.read_at(self._offset + first, end - first)
        lost = overlapping(self._data.errors, self._offset + first, end - first) if self._data.errors else []
        if lost:
            raise OSError(lost[0].reason)
        plain = decrypt(self._cipher, self._key, raw, self._sector, self._tweak + first // 512)
        return plain[offset - first : offset - first + length]

    def close(self) -> None:
        """Nothing to let go of: the source beneath belongs to somebody else."""


def decrypt(cipher: str, key: bytes, raw: bytes, sector: int, number: int) -> bytes:
    """Decrypt whole sectors, the first of which has the number ``number``, counted in units of 512 bytes. ``cipher`` is one of
    ``CIPHERS``. Raises ``ValueError`` for a key of the wrong length."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _, mode, generator = cipher.split("-", 2)
    mask = 0xFFFFFFFF if generator == "plain" else 0xFFFFFFFFFFFFFFFF
    essiv = None
    if generator == "essiv:sha256":
        essiv = Cipher(algorithms.AES(hashlib.sha256(key).digest()), modes.ECB()).encryptor()
    algorithm = algorithms.AES(key)
    pieces = []
    for place in range(0, len(raw), sector):
        vector = struct.pack("<QQ", (number + place // 512) & mask, 0)
        if essiv is not None:
            vector = essiv.update(vector)
        decryptor = Cipher(algorithm, modes.XTS(vector) if mode == "xts" else modes.CBC(vector)).decryptor()
        pieces.append(decryptor.update(raw[place : place + sector]))
    return b"".join(pieces)


def merge(material: bytes, size: int, stripes: int, algorithm: str) -> bytes:
    """Undo the anti-forensic splitter: each stripe but the last is folded in by XOR and diffused by hashing in blocks."""
    block = 0
    step = hashlib.new(algorithm).digest_size
    for number in range(stripes):
        block ^= int.from_bytes(material[number * size : (number + 1) * size], "big")
        if number < stripes - 1:
            raw = block.to_bytes(size, "big")
            diffused = b"".join(
                hashlib.new(algorithm, struct.pack(">I", place // step) + raw[place : place + step]).digest()[: size - place]
                for place in range(0, size, step)
            )
            block = int.from_bytes(diffused, "big")
    return block.to_bytes(size, "big")


def pbkdf2(algorithm: str, passphrase: bytes, salt: bytes, iterations: int, length: int) -> bytes:
    """PBKDF2 with a bound on the work. Raises ``LuksError`` beyond it, ``ValueError`` for an unknown hash."""
    if not 0 < iterations <= MAX_WORK:
        raise LuksError("the LUKS header asks for an impossible amount of work")
    return hashlib.pbkdf2_hmac(algorithm, passphrase, salt, iterations, length)
