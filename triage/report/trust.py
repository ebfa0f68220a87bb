"""Whether a signing key is one that the verifier trusts: named as such, or certified by somebody who is.

The web's rules for certificates (as in ``cryptography.x509.verification``) do not fit: they know no Ed25519 and want host names. The
chain is therefore walked here: each certificate signed by the next, issuers being authorities, all valid when the case was signed.

Revocation (RFC 5280, section 5) comes from files, for nothing is fetched. A certificate that was withdrawn before the case was signed signs
for nobody. For one withdrawn later the time of signing matters, and that is told by the clock of the computer that ran the scan or of the
officer's: it counts only where a trusted time stamp shows that the case existed before the withdrawal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from triage.keys import MAX_BYTES, PUBLIC_BYTES, SigningKeyError, certificate_name, is_usable, public_text, read_certificates, strict_base64

if TYPE_CHECKING:
    from cryptography import x509


MAX_REVOCATIONS = 64 << 20


@dataclass(slots=True)
class Trusted:
    """``keys``: trusted raw public keys in base64, with a name each; ``certificates``: trusted ones, roots or the signer's own; ``revocations``:
    lists of withdrawn certificates, each worth nothing before its issuer is found; ``problems``: files that could not be used."""

    keys: dict[str, str] = field(default_factory=dict)
    certificates: list[x509.Certificate] = field(default_factory=list)
    revocations: list[x509.CertificateRevocationList] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed, as far as it is known, and why not if it is not. ``checked``: whether every certificate below the trusted one was looked up in
    a revocation list."""

    known: bool
    name: str
    reason: str = ""
    checked: bool = True


def read_trusted(paths: Sequence[Path], revocations: Sequence[Path] = ()) -> Trusted:
    """Trusted keys and certificates from files: PEM certificates, PEM public keys, or raw keys one a line (base64 or hex). ``revocations``:
    files of revocation lists (PEM or DER)."""
    from cryptography.exceptions import UnsupportedAlgorithm
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
                if not is_usable(key):
                    raise ValueError("it is not an Ed25519 or P-256 key")
                trusted.keys[public_text(key)] = path.stem
                continue
            found = [text for line in data.decode("ascii").splitlines() if (text := _raw_key(line.strip())) is not None]
            if not found:
                raise ValueError("it holds neither a certificate nor a public key")
            trusted.keys.update(dict.fromkeys(found, path.stem))
        except (OSError, ValueError, SigningKeyError, UnsupportedAlgorithm) as error:
            trusted.problems.append(f"The trusted file {path} cannot be used: {error}")
    for path in revocations:
        try:
            trusted.revocations.extend(_read_revocations(path))
        except (OSError, ValueError) as error:
            trusted.problems.append(f"The revocation list {path} cannot be used: {error}")
    return trusted


def _read_revocations(path: Path) -> list[x509.CertificateRevocationList]:
    from cryptography import x509

    with open(path, "rb") as file:
        data = file.read(MAX_REVOCATIONS + 1)
    if len(data) > MAX_REVOCATIONS:
        raise ValueError(f"it is larger than {MAX_REVOCATIONS >> 20} MiB")
    blocks = re.findall(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", data, re.DOTALL)
    return [x509.load_pem_x509_crl(block) for block in blocks] or [x509.load_der_x509_crl(data)]


def _raw_key(line: str) -> str | None:
    import base64

    if re.fullmatch(r"[0-9A-Fa-f]{64}", line):
        return base64.b64encode(bytes.fromhex(line)).decode("ascii")
    return line if strict_base64(line, *PUBLIC_BYTES) is not None else None


def identify(
    public_key: str, pem: Sequence[str], claimed: str, trusted: Trusted, sealed_at: str | None, *, proved: datetime | None = None
) -> Identity:
    """Who holds ``public_key`` (base64). ``pem``: the certificates of the seal; ``claimed``: the name it gives itself; ``sealed_at``: when it was
    signed, RFC 3339, asserted; ``proved``: when it existed already by a trusted time stamp, None without one."""
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
    moment = _moment(sealed_at)
    if moment is None:
        return Identity(False, certificate_name(leaf), "the journal does not say when the case was sealed")
    unproved = moment if proved is None else None
    return judge(leaf, chain[1:], trusted, moment, proved=proved, asserted=unproved)


def judge(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    known: Trusted,
    moment: datetime,
    *,
    proved: datetime | None = None,
    asserted: datetime | None = None,
) -> Identity:
    """Follow the chain from ``leaf`` through ``others`` to a trusted certificate, all valid at ``moment`` and none withdrawn, unless after
    ``proved``. ``asserted``: a time of signing that nobody else confirms; where it would have made the difference, the reason says so."""
    checked, trusted, name = True, known.certificates, certificate_name(leaf)

    def refused(reason: str) -> Identity:
        return Identity(False, name, reason)

    if not _usage(leaf, "digital_signature"):
        return refused(f"the certificate of {name} is not for signing")
    current, remaining = leaf, list(others)
    for depth in range(len(others) + 2):
        if not current.not_valid_before_utc <= moment <= current.not_valid_after_utc:
            return refused(f"the certificate of {certificate_name(current)} was not valid when it was used")
        if current in trusted:
            return Identity(True, name, checked=checked)
        issuer = next((item for item in (*trusted, *remaining) if item != current and _issued(current, item, depth)), None)
        if issuer is None:
            return refused(f"nobody who is trusted has certified {certificate_name(current)}")
        looked_up, revoked = _revoked(current, issuer, known.revocations)
        checked &= looked_up
        if revoked is not None and (proved is None or proved >= revoked):
            when = f"the certificate of {certificate_name(current)} was withdrawn on {revoked:%d %B %Y}"
            before = asserted is not None and asserted < revoked
            return refused(when + ("; only the computer's own clock says that the case was sealed before that" if before else ""))
        if issuer in remaining:
            remaining.remove(issuer)
        current = issuer
    return refused("the certificates run in a circle")


def _revoked(
    certificate: x509.Certificate, issuer: x509.Certificate, lists: Sequence[x509.CertificateRevocationList]
) -> tuple[bool, datetime | None]:
    """Whether a list of ``issuer`` was there to look in, and since when ``certificate`` is withdrawn: the earliest that a list says."""
    from cryptography.exceptions import UnsupportedAlgorithm

    looked_up, dates = False, []
    for item in lists:
        try:
            if item.issuer != issuer.subject or not item.is_signature_valid(issuer.public_key()) or not _usage(issuer, "crl_sign"):  # type: ignore[arg-type]
                continue
            looked_up = True
            entry = item.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                dates.append(entry.revocation_date_utc)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    return looked_up, min(dates, default=None)


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

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return is_usable(key) and public_text(key) == public_key


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
