"""Keys on PKCS#11 tokens, with SoftHSM as the token."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from triage.keys import SigningKeyError, public_text, verifies
from triage.token_key import load_token

PIN = "1234"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory, authority: Any) -> Iterator[tuple[Path, ec.EllipticCurvePrivateKey, Any]]:
    """A token with one key and its certificate: the library, the key, the certificate."""
    pytest.importorskip("pkcs11")
    module = next((Path(name) for name in MODULES if Path(name).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM (softhsm2) is not installed")
    folder = tmp_path_factory.mktemp("token")
    (folder / "store").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/store\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _softhsm("--init-token", "--free", "--label", "Officer", "--pin", PIN, "--so-pin", "4321")
    _softhsm("--import", folder / "key.pem", "--token", "Officer", "--label", "signing", "--id", "01", "--pin", PIN)
    certificate = authority.issue(key, "PC Token")
    (folder / "crt.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    yield module, key, certificate
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _softhsm(*arguments: str | Path) -> None:
    subprocess.run(["softhsm2-util", *map(str, arguments)], check=True, capture_output=True)


@contextmanager
def load(
    module: Path, *, pin: str = PIN, token: str | None = None, label: str | None = None, certificates: Path | None = None
) -> Iterator[Any]:
    signer = load_token(module, lambda: pin, token=token, label=label, certificates=certificates)
    yield signer
    signer.private_key.close()  # type: ignore[union-attr]


def test_a_token_signs(token: tuple[Path, ec.EllipticCurvePrivateKey, Any], tmp_path: Path) -> None:
    module, key, certificate = token
    with load(module) as signer:
        assert signer.name == "signing"
        assert signer.public_key == public_text(key.public_key())
        signatures = {signer.sign(b"message") for _ in range(20)}
    for signature in signatures:  # half of them come with the higher s from the token
        assert verifies(signer.public_key, base64.b64encode(signature).decode(), b"message")
        assert not verifies(signer.public_key, base64.b64encode(signature).decode(), b"massage")
    path = tmp_path / "crt.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    with load(module, certificates=path, token="Officer", label="signing") as named:
        assert named.name == "PC Token"


def test_refusals(token: tuple[Path, ec.EllipticCurvePrivateKey, Any], tmp_path: Path, authority: Any) -> None:
    module = token[0]
    for words, options in (
        ("PIN of the token is wrong", {"pin": "9999"}),
        ("no such token", {"token": "Nobody"}),
        ("holds 0 keys that fit", {"label": "absent"}),
    ):
        with pytest.raises(SigningKeyError, match=words), load(module, **options):
            pass
    with pytest.raises(SigningKeyError, match="does not answer"), load(tmp_path / "absent.so"):
        pass
    other = tmp_path / "other.pem"
    other.write_bytes(authority.signer("Other").certificates[0].public_bytes(Encoding.PEM))
    with pytest.raises(SigningKeyError, match="is not for the key"), load(module, certificates=other):
        pass


def test_a_certificate_on_the_token(token: tuple[Path, ec.EllipticCurvePrivateKey, Any]) -> None:
    """Last, for the certificate stays on the token."""
    import pkcs11
    from pkcs11.util.x509 import decode_x509_certificate

    module, _, certificate = token
    with pkcs11.lib(str(module)).get_token(token_label="Officer").open(rw=True, user_pin=PIN) as session:
        values = decode_x509_certificate(certificate.public_bytes(Encoding.DER))
        session.create_object({**values, pkcs11.Attribute.ID: b"\x01", pkcs11.Attribute.TOKEN: True})
    with load(module) as signer:
        assert (signer.name, signer.certificates) == ("PC Token", [certificate])
