"""A force's certificates: an authority, a stick, an officer, a time stamping authority; and revocation lists."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from triage.keys import Signer

PASSPHRASE = "correct horse 7"


@dataclass
class Authority:
    """Issues certificates below ``folder``; every method writes PEM files there too."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        self.certificate = self.issue(self.key, self.name, authority=True)
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    @property
    def path(self) -> Path:
        """The root in a file, for ``--trusted``."""
        return self.folder / f"{self.name}.pem"

    def issue(
        self, key: Any, name: str, *, authority: bool = False, stamps: bool = False, days: tuple[int, int] = (-30, 300)
    ) -> x509.Certificate:
        """A certificate of this authority for ``key``; ``stamps``: for time stamps only; ``days`` from today, first and last."""

        def called(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = datetime.datetime.now(datetime.UTC)
        start, end = (now + datetime.timedelta(days=day) for day in days)
        builder = x509.CertificateBuilder(called(self.name), called(name), key.public_key(), x509.random_serial_number(), start, end)
        use = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        use |= {"key_cert_sign": True, "crl_sign": True} if authority else {"digital_signature": True, "content_commitment": True}
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.KeyUsage(**use), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        if stamps:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(self.key, SHA256())

    def signer(self, name: str, *, key: Any = None, days: tuple[int, int] = (-30, 300)) -> Signer:
        """Somebody with a key and a certificate."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        return Signer(key, known=True, name=name, certificates=[self.issue(key, name, days=days)])

    def revoke(self, *withdrawn: tuple[x509.Certificate, int], issuer: str | None = None, key: Any = None) -> Path:
        """A revocation list: certificates, each with the day from today since when it is withdrawn."""
        now = datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or self.name)])
        builder = x509.CertificateRevocationListBuilder(name, now - datetime.timedelta(days=40), now + datetime.timedelta(days=40))
        for certificate, day in withdrawn:
            entry = x509.RevokedCertificateBuilder(certificate.serial_number, now + datetime.timedelta(days=day))
            builder = builder.add_revoked_certificate(entry.build())
        path = self.folder / f"{self.name}-{len(list(self.folder.iterdir()))}.crl"
        path.write_bytes(builder.sign(key or self.key, SHA256()).public_bytes(Encoding.PEM))
        return path


def write_signer(signer: Signer, path: Path, *, passphrase: str | None = PASSPHRASE) -> Path:
    """The signer's key at ``path`` and its certificates beside it."""
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))  # type: ignore[union-attr]
    path.with_suffix(".crt").write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in signer.certificates))
    return path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The force's own."""
    return Authority(tmp_path_factory.mktemp("pki"), "Force CA")


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody else's, of the same name."""
    return Authority(tmp_path_factory.mktemp("other"), "Force CA")


@pytest.fixture
def key_files() -> Any:
    """Writes a signer's key and certificates: ``write_signer``."""
    return write_signer
