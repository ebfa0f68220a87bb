"""Signing keys: encrypted files, certificates beside them, a key for one case."""

from __future__ import annotations

import base64
import datetime
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from triage import keys
from triage.keys import SigningKeyError, case_signer, load_signer, passphrase_from, write_key

PASSPHRASE = "wörds and 123"


def given() -> str:
    return PASSPHRASE


def never() -> str:
    raise AssertionError("the passphrase was asked for")


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    path = tmp_path_factory.mktemp("keys") / "officer.pem"
    write_key(path, key, PASSPHRASE)
    return path, key


def certificate(key: Ed25519PrivateKey, name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7, start, start + datetime.timedelta(days=400))
    return builder.sign(key, None).public_bytes(Encoding.PEM)


def test_round_trip(key_file: tuple[Path, Ed25519PrivateKey]) -> None:
    path, key = key_file
    signer = load_signer(path, given)
    assert signer.known
    assert signer.name == "officer"
    assert base64.b64decode(signer.public_key) == key.public_key().public_bytes_raw()
    key.public_key().verify(signer.sign(b"x"), b"x")
    key.public_key().verify(base64.b64decode(signer.checkpoint(7, "ab")), b"triage checkpoint\n7\nab")


def test_written_with_scrypt_and_for_the_owner_only(key_file: tuple[Path, Ed25519PrivateKey]) -> None:
    path, _ = key_file
    text = path.read_text().splitlines()
    der = base64.b64decode("".join(text[1:-1]))
    assert text[0] == "-----BEGIN ENCRYPTED PRIVATE KEY-----"
    assert bytes.fromhex("06092b06010401da47040b") in der  # id-scrypt
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_key(path, Ed25519PrivateKey.generate(), "x")


@pytest.mark.tools
def test_openssl_reads_what_is_written(key_file: tuple[Path, Ed25519PrivateKey]) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path, key = key_file
    command = ["openssl", "pkcs8", "-in", str(path), "-passin", f"pass:{PASSPHRASE}", "-outform", "DER", "-nocrypt", "-topk8"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.tools
def test_what_openssl_writes_is_read(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path / "key.pem"
    plain = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    for form in (["-scrypt"], ["-v2", "aes-256-cbc"]):
        command = ["openssl", "pkcs8", "-topk8", *form, "-passout", f"pass:{PASSPHRASE}", "-out", str(path)]
        subprocess.run(command, input=plain, check=True)
        assert load_signer(path, given).known


def test_refusals(tmp_path: Path, key_file: tuple[Path, Ed25519PrivateKey]) -> None:
    path, key = key_file
    with pytest.raises(SigningKeyError, match="passphrase is wrong"):
        load_signer(path, lambda: "wrong")
    with pytest.raises(SigningKeyError, match="passphrase is empty"):
        load_signer(path, lambda: "")
    with pytest.raises(SigningKeyError, match="cannot be read"):
        load_signer(tmp_path / "absent.pem", never)
    other = tmp_path / "key.pem"
    other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SigningKeyError, match="not encrypted"):
        load_signer(other, never)
    assert load_signer(other, never, allow_unencrypted=True).known
    elliptic = ec.generate_private_key(ec.SECP384R1())
    other.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())))
    with pytest.raises(SigningKeyError, match="Ed25519 or P-256"):
        load_signer(other, given)
    for junk in (
        b"",
        b"junk",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        b"x" * (keys.MAX_BYTES + 1),
    ):
        other.write_bytes(junk)
        with pytest.raises(SigningKeyError):
            load_signer(other, given)
    with pytest.raises(SigningKeyError, match="empty"):
        write_key(tmp_path / "new.pem", key, "")


def test_certificates(tmp_path: Path, key_file: tuple[Path, Ed25519PrivateKey]) -> None:
    path = tmp_path / "pc.pem"
    shutil.copy(key_file[0], path)
    beside = tmp_path / "pc.crt"
    beside.write_bytes(certificate(key_file[1], "PC Demo") + certificate(Ed25519PrivateKey.generate(), "CA"))
    signer = load_signer(path, given)
    assert (signer.name, len(signer.certificates)) == ("PC Demo", 2)
    beside.write_bytes(certificate(Ed25519PrivateKey.generate(), "Somebody else"))
    with pytest.raises(SigningKeyError, match="not for the key"):
        load_signer(path, given)
    beside.write_bytes(b"junk")
    with pytest.raises(SigningKeyError, match="no certificate"):
        load_signer(path, given)
    chain = tmp_path / "elsewhere.txt"
    chain.write_bytes(certificate(key_file[1], "PC Demo") * 9)
    with pytest.raises(SigningKeyError, match="more than"):
        load_signer(path, given, certificates=chain)


def test_a_key_for_one_case() -> None:
    first, second = case_signer(), case_signer()
    assert not first.known
    assert first.name == keys.UNKNOWN_SIGNER
    assert first.public_key != second.public_key


def test_where_the_passphrase_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSPHRASE", "from variable")
    ask: Callable[[], str] = lambda: "asked"  # noqa: E731
    file = tmp_path / "passphrase"
    file.write_text("from file\nsecond line\n", encoding="utf-8")
    assert passphrase_from(file=file, variable="DEMO_PASSPHRASE", ask=ask)() == "from file"
    assert passphrase_from(variable="DEMO_PASSPHRASE", ask=ask)() == "from variable"
    monkeypatch.setenv("DEMO_PASSPHRASE", "")
    assert passphrase_from(variable="DEMO_PASSPHRASE", ask=ask)() == "asked"
    with pytest.raises(SigningKeyError, match="no passphrase"):
        passphrase_from(variable="DEMO_PASSPHRASE")()
    file.write_bytes(b"")
    with pytest.raises(SigningKeyError, match="empty"):
        passphrase_from(file=file, ask=ask)()
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SigningKeyError, match="cannot be read"):
        passphrase_from(file=file, ask=ask)()
