"""LUKS1 volumes, opened by a passphrase or the bytes of a key file. Format: "LUKS On-Disk Format Specification" 1.2.3.

Own reading for the ciphers installers used, because libluksde derives keys some thirty times slower than OpenSSL (seconds a passphrase
and key slot) and takes no key file of arbitrary bytes; other ciphers are left to it.
"""

from __future__ import annotations

import hmac
import struct

from triage.evidence.luks_cipher import CIPHERS, MAX_MATERIAL, LuksBytes, LuksError, decrypt, merge, pbkdf2
from triage.evidence.model import ByteSource

_HEADER = struct.Struct(">6sH32s32s32sII20s32sI40s")
_SLOT = struct.Struct(">II32sII")
_ACTIVE = 0x00AC71F3


def can_open(data: ByteSource) -> bool:
    """Whether the volume's cipher is one this module decrypts."""
    raw = data.read_at(0, _HEADER.size)
    return len(raw) == _HEADER.size and _cipher(raw) in CIPHERS


def _cipher(raw: bytes) -> str:
    _, _, name, mode, *_ = _HEADER.unpack(raw)
    return b"-".join(part.split(b"\0")[0] for part in (name, mode)).decode("ascii", "replace")


def open_luks1(data: ByteSource, passphrases: list[bytes]) -> LuksBytes | None:
    """The decrypted volume, or None where no passphrase fits. Raises ``LuksError`` for a header that cannot be used."""
    raw = data.read_at(0, _HEADER.size + 8 * _SLOT.size)
    if len(raw) < _HEADER.size + 8 * _SLOT.size:
        raise LuksError("the LUKS header is cut short")
    _, _, _, _, hash_name, payload, key_size, digest, salt, iterations, _ = _HEADER.unpack_from(raw)
    algorithm, cipher = hash_name.split(b"\0")[0].decode("ascii", "replace"), _cipher(raw[: _HEADER.size])
    if cipher not in CIPHERS or not 16 <= key_size <= 64 or not 0 < payload * 512 < data.size:
        raise LuksError("the LUKS header gives an impossible cipher, key size or payload")
    try:
        for passphrase in passphrases:
            for slot in range(8):
                active, rounds, slot_salt, offset, stripes = _SLOT.unpack_from(raw, _HEADER.size + slot * _SLOT.size)
                material = key_size * stripes
                if active != _ACTIVE or not 0 < material <= MAX_MATERIAL:
                    continue
                area = data.read_at(offset * 512, -(-material // 512) * 512)
                if len(area) < material or len(area) % 512:
                    continue
                slot_key = pbkdf2(algorithm, passphrase, slot_salt, rounds, key_size)
                key = merge(decrypt(cipher, slot_key, area, 512, 0)[:material], key_size, stripes, algorithm)
                if hmac.compare_digest(pbkdf2(algorithm, key, salt, iterations, 20), digest):
                    return LuksBytes(data, payload * 512, data.size - payload * 512, cipher, key)
    except (ValueError, OverflowError, MemoryError) as error:
        raise LuksError("the LUKS header is damaged") from error
    return None
