"""Whether a signing key is one that the verifier trusts: named as such, or certified by somebody who is.

The web's rules for certificates (as in ``cryptography.x509.verification``) do not fit: they know no Ed25519 and want host names. The
chain is therefore walked here: each certificate signed by the next, issuers being authorities, all valid when the case was sealed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from triage.keys import MAX_BYTES, SigningKeyError, certificate_name, public_text, read_certificates
from triage.report.chain import strict_base64

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(slots=True)
class Trusted:
    """``keys``: trusted raw public keys in base64, with a name each; ``certificates``: trusted ones, roots or the signer's own."""

    keys: dict[str, str] = field(default_factory=dict)
    certificates: list[x509.Certificate] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed, as far as it is known, and why not if it is not."""

    known: bool
    name: str
    reason: str = ""


def read_trusted(paths: Sequence[Path]) -> Trusted:
    """Trusted keys and certificates from files: PEM certificates, PEM public keys, or raw Ed25519 keys one a line (base64 or hex)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    trusted = Trusted()
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES)
            certificates = read_certificates(data)
            if certificates:
                trusted.certificates.extend(certificates)
                continue
            if b"-----BEGIN PUBLIC KEY-----" in data:
                key = load_pem_public_key(data)
                if not isinstance(key, Ed25519PublicKey):
                    raise ValueError("it is not an Ed25519 key")
                trusted.keys[public_text(key)] = path.stem
                continue
            found = [text for line in data.decode("ascii").splitlines() if (text := _raw_key(line.strip())) is not None]
            if not found:
                raise ValueError("it holds neither a certificate nor a public key")
            trusted.keys.update(dict.fromkeys(found, path.stem))
        except (OSError, ValueError, SigningKeyError, UnsupportedAlgorithm) as error:
            trusted.problems.append(f"The trusted file {path} cannot be used: {error}")
    return trusted


def _raw_key(line: str) -> str | None:
    import base64

    if re.fullmatch(r"[0-9A-Fa-f]{64}", line):
        return base64.b64encode(bytes.fromhex(line)).decode("ascii")
    return line if strict_base64(line, 32) is not None else None


def identify(public_key: str, pem: Sequence[str], claimed: str, trusted: Trusted, sealed_at: str | None) -> Identity:
    """Who holds ``public_key`` (base64). ``pem``: the certificates of the seal; ``claimed``: the name it gives itself; ``sealed_at``: RFC 3339."""
    if public_key in trusted.keys:
        return Identity(True, trusted.keys[public_key])
    if not trusted.keys and not trusted.certificates:
        return Identity(False, claimed, "no trusted key or certificate was given to compare with")
    try:
        chain = [certificate for text in pem for certificate in read_certificates(text.encode("ascii", "replace"))]
    except SigningKeyError as error:
        return Identity(False, claimed, str(error))
    own = [item for item in trusted.certificates if _holds(item, public_key)]
    leaf = chain[0] if chain and _holds(chain[0], public_key) else own[0] if own else None
    if leaf is None:
        return Identity(False, claimed, "the key is not among the trusted ones and no certificate for it is in the seal")
    reason = _walk(leaf, chain[1:], trusted.certificates, _moment(sealed_at))
    return Identity(not reason, certificate_name(leaf), reason)


def _walk(leaf: x509.Certificate, others: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], moment: datetime | None) -> str:
    """Why the chain from ``leaf`` does not end in a trusted certificate; empty where it does."""
    if moment is None:
        return "the journal does not say when the case was sealed"
    if not _usage(leaf, "digital_signature"):
        return f"the certificate of {certificate_name(leaf)} is not for signing"
    current, remaining = leaf, list(others)
    for depth in range(len(others) + 2):
        if not current.not_valid_before_utc <= moment <= current.not_valid_after_utc:
            return f"the certificate of {certificate_name(current)} was not valid when the case was sealed"
        if current in trusted:
            return ""
        issuer = next((item for item in (*trusted, *remaining) if item != current and _issued(current, item, depth)), None)
        if issuer is None:
            return f"nobody who is trusted has certified {certificate_name(current)}"
        if issuer in remaining:
            remaining.remove(issuer)
        current = issuer
    return "the certificates run in a circle"


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """Whether ``issuer`` is an authority that signed ``certificate``, which has ``below`` authorities between it and the signer."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False
    return constraints.ca and (constraints.path_length is None or constraints.path_length >= below) and _usage(issuer, "key_cert_sign")


def _usage(certificate: x509.Certificate, name: str) -> bool:
    """Whether the certificate allows this use; one that says nothing of uses allows all."""
    from cryptography import x509

    try:
        return bool(getattr(certificate.extensions.get_extension_for_class(x509.KeyUsage).value, name))
    except x509.ExtensionNotFound:
        return True
    except (ValueError, x509.DuplicateExtension):
        return False


def _holds(certificate: x509.Certificate, public_key: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, Ed25519PublicKey) and public_text(key) == public_key


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
