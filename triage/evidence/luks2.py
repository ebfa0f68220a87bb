"""LUKS2 volumes, opened by a passphrase. Format: "LUKS2 On-Disk Format Specification" 1.1.1 (Milan Broz, 2022).

Own reading on the `cryptography` package, because libluksde opens version 1 only and version 2 has been what Linux installers make
since 2018.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from typing import Any

from triage.evidence.encryption import LUKS2_BACKUP_OFFSETS, LUKS2_BACKUP_SIGNATURE, LUKS_SIGNATURE
from triage.evidence.luks_cipher import CIPHERS, MAX_MATERIAL, MAX_WORK, LuksBytes, LuksError, decrypt, merge, pbkdf2
from triage.evidence.model import ByteSource

MAX_HEADER = 4 << 20
MAX_KEYSLOTS = 32
MAX_KDF_MEMORY_KIB = 4 << 20
"""cryptsetup itself stays at 1 GiB."""


def open_luks2(data: ByteSource, passphrases: list[bytes]) -> LuksBytes | None:
    """The decrypted volume, or None where no passphrase fits. Raises ``LuksError`` for a header that cannot be used."""
    header = _header(data)
    try:
        segment = next(item for item in header["segments"].values() if item["type"] == "crypt")
        cipher, sector = str(segment["encryption"]), int(segment["sector_size"])
        offset = int(segment["offset"])
        size = data.size - offset if segment["size"] == "dynamic" else min(int(segment["size"]), data.size - offset)
        if cipher not in CIPHERS:
            raise LuksError(f"the volume is encrypted with {cipher}, which this program cannot decrypt")
        if sector not in (512, 1024, 2048, 4096) or offset < 0 or size <= 0:
            raise LuksError("the LUKS2 header gives an impossible data segment")
        slots = list(header["keyslots"].items())[:MAX_KEYSLOTS]
        for passphrase in passphrases:
            for name, slot in slots:
                key = _volume_key(data, slot, passphrase)
                if key is not None and _key_fits(header, name, key):
                    return LuksBytes(data, offset, size, cipher, key, sector, int(segment.get("iv_tweak", 0)))
    except (KeyError, TypeError, ValueError, OverflowError, MemoryError, AttributeError, StopIteration) as error:
        raise LuksError("the LUKS2 header is damaged") from error
    return None


def _header(data: ByteSource) -> dict[str, Any]:
    """The JSON of the first header whose check sum holds, the one of the higher sequence number first."""
    found: list[tuple[int, dict[str, Any]]] = []
    for offset in (0, *LUKS2_BACKUP_OFFSETS):
        binary = data.read_at(offset, 4096)
        if binary[:6] != (LUKS_SIGNATURE if offset == 0 else LUKS2_BACKUP_SIGNATURE):
            continue
        _, size, sequence = struct.unpack_from(">HQQ", binary, 6)
        if not 4096 < size <= MAX_HEADER:
            continue
        whole = data.read_at(offset, size)
        algorithm = binary[72:104].split(b"\0")[0].decode("ascii", "replace")
        if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
            continue
        digest = hashlib.new(algorithm, whole[:448] + bytes(64) + whole[512:]).digest()
        if binary[448 : 448 + len(digest)] != digest:
            continue
        try:
            parsed = json.loads(whole[4096:].split(b"\0")[0])
        except (ValueError, RecursionError):
            continue
        if isinstance(parsed, dict):
            found.append((sequence, parsed))
    if not found:
        raise LuksError("neither LUKS2 header is sound")
    return max(found, key=lambda item: item[0])[1]


def _volume_key(data: ByteSource, slot: dict[str, Any], passphrase: bytes) -> bytes | None:
    """What a key slot gives for a passphrase: the volume key if it is the right one, else noise; None for slots of other kinds."""
    if slot["type"] != "luks2" or slot["area"]["type"] != "raw":
        return None
    key_size, stripes = int(slot["key_size"]), int(slot["af"]["stripes"])
    area, material = slot["area"], key_size * stripes
    if not 16 <= key_size <= 512 or not 0 < material <= MAX_MATERIAL or area["encryption"] not in CIPHERS:
        return None
    area_key = _derive(slot["kdf"], passphrase, int(area["key_size"]))
    raw = data.read_at(int(area["offset"]), -(-material // 512) * 512)
    if len(raw) < material or len(raw) % 512:
        return None
    return merge(decrypt(area["encryption"], area_key, raw, 512, 0)[:material], key_size, stripes, slot["af"]["hash"])


def _derive(kdf: dict[str, Any], passphrase: bytes, length: int) -> bytes:
    salt = base64.b64decode(kdf["salt"])
    if kdf["type"] == "pbkdf2":
        return pbkdf2(kdf["hash"], passphrase, salt, int(kdf["iterations"]), length)
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2i, Argon2id

    if int(kdf["memory"]) > MAX_KDF_MEMORY_KIB or int(kdf["time"]) * int(kdf["memory"]) > MAX_WORK:
        raise LuksError("the LUKS2 header asks for an impossible amount of work")
    if kdf["type"] not in ("argon2i", "argon2id"):
        raise LuksError("the LUKS2 header asks for an unknown key derivation")
    argon = (Argon2id if kdf["type"] == "argon2id" else Argon2i)(
        salt=salt, length=length, iterations=int(kdf["time"]), lanes=int(kdf["cpus"]), memory_cost=int(kdf["memory"])
    )
    derived: bytes = argon.derive(passphrase)
    return derived


def _key_fits(header: dict[str, Any], slot: str, key: bytes) -> bool:
    for digest in header["digests"].values():
        if slot in digest["keyslots"] and digest["type"] == "pbkdf2":
            wanted = base64.b64decode(digest["digest"])
            found = pbkdf2(digest["hash"], key, base64.b64decode(digest["salt"]), int(digest["iterations"]), len(wanted))
            return hmac.compare_digest(found, wanted)
    return False
