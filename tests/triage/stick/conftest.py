"""A keeper's folder and what belongs to it, small and made here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyrage import x25519

import hashsets
from portable import integrity
from rules import sealed
from triage import keys

PASSPHRASE = "seven copper kettles"
LISTED = b"the content of a file that is listed\n"


@dataclass
class Keeper:
    """``folder``: what goes onto the stick; ``key``, ``public``: the keeper's own; ``secret``: the key file of sets and lists; ``unit``: the unit's."""

    folder: Path
    bundle: Path
    key: Path
    public: Path
    secret: Path
    unit: x25519.Identity


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashsets.keys.SCRYPT_N", 16)
    monkeypatch.setitem(sealed._SCRYPT, "n", 16)
    monkeypatch.setattr("triage.keys.SCRYPT_N", 16)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    folder = tmp_path / "keeper"
    for name in ("hashsets", "keywords", "rules", "yara", "seal", "keys", "visits"):
        (folder / name).mkdir(parents=True)
    listing = tmp_path / "list.md5"
    listing.write_text(hashlib.md5(LISTED).hexdigest() + "\n")
    secret = tmp_path / "unit.secret"
    secret.write_text(PASSPHRASE + "\n")
    hashsets.build(folder / "hashsets" / "unit.set", [listing], role="alert", key=hashsets.load_key(secret), kinds=["exact"], name="unit")
    words = b"term,category,severity,form\nlantern,drugs,4,word\n"
    (folder / "keywords" / "own.sealed").write_bytes(sealed.seal("own.csv", words, sealed.load_secret(secret)))
    (folder / "yara" / "own.yar").write_text('rule kettle { strings: $a = "copper kettle" condition: $a }\n')
    unit = x25519.Identity.generate()
    (folder / "seal" / "recipients.txt").write_text(f"# the unit\n{unit.to_public()}\n")
    (folder / "stick.toml").write_text('name = "Stick 12"\nexpires = 2099-06-30\n[use_until]\n"hashsets/unit.set" = 2098-01-31\n')
    own = Ed25519PrivateKey.generate()
    key, public = tmp_path / "keeper.pem", tmp_path / "keeper.pub"
    keys.write_key(key, own, "keeper's words")
    public.write_bytes(own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    bundle = tmp_path / "built" / "triage"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "triage.exe").write_bytes(b"MZ" + bytes(1000))
    (bundle / "_internal" / "python311.dll").write_bytes(bytes(5000))
    integrity.write(bundle, {"version": "0.1.0", "target": "windows"})
    return Keeper(folder, bundle, key, public, secret, unit)
