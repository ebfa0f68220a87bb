"""The signature in ``report.pdf`` (PAdES baseline B-B, ETSI EN 319 142-1), so that a PDF reader shows who vouches for it.

It is made when the case is sealed and appended to the file (ISO 32000-1, 7.5.6): what comes before it is the report as the journal gives
it, byte for byte. It binds the PDF only; the case is bound by ``seal.json``. Ed25519 keys do not sign PDFs: most readers cannot check them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.casefolder import CaseFile
from triage.keys import Signer
from triage.report.files import replacing

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PDF = "report.pdf"
FIELD = "Seal"
MAX_PDF = 256 << 20


def quiet_pyhanko() -> None:
    """Keep pyHanko from printing every chain that it cannot build as an error of its own: what it says is told in our words."""
    import logging

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


def can_sign(signer: Signer) -> bool:
    """Whether PDFs can be signed with the signer's key: a P-256 key in a file, with an X.509 certificate."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    return bool(signer.certificates) and isinstance(signer.private_key, EllipticCurvePrivateKey)


def sign_pdf(path: CaseFile, key: EllipticCurvePrivateKey | RSAPrivateKey, certificates: Sequence[x509.Certificate]) -> None:
    """Sign the PDF at ``path`` in place. ``certificates``: the signer's first, then its issuers.

    The time in it is this computer's clock. Raises ``ValueError`` where the file is no sound PDF or is signed already, ``OSError``.
    """
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    chain = [asn1_x509.Certificate.load(item.public_bytes(Encoding.DER)) for item in certificates]
    issuers = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    issuers.register_multiple(chain)
    private = asn1_keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    signer = SimpleSigner(chain[0], private, issuers)
    metadata = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason="Report of a sealed case", use_pades_lta=False
    )
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(path.read_bytes()), strict=False)
        if writer.prev.embedded_signatures:
            raise ValueError(f"{path.name} is signed already")
        signed = PdfSigner(metadata, signer).sign_pdf(writer)
    except (PdfError, SigningError) as error:
        raise ValueError(f"{path.name} cannot be signed: {error}") from None
    with replacing(path) as file:
        file.write(signed.getbuffer())


def check_pdf(data: bytes) -> tuple[str | None, str]:
    """The one signature in a PDF: (public key of its signer as ``keys.public_text`` gives it, or the empty text for another kind of key; what
    is wrong with it, in words without their subject, or empty). (None, "") for a PDF without a signature. Never raises for content."""
    try:
        return _check(data)
    except Exception:  # a hostile PDF has many ways to fail, and pyHanko no common error
        return "", "has a signature that cannot be read"


def _check(data: bytes) -> tuple[str | None, str]:
    from asn1crypto import x509 as asn1_x509
    from cryptography import x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    from triage.keys import is_usable, public_text

    quiet_pyhanko()
    found: list[Any] = list(PdfFileReader(io.BytesIO(data), strict=False).embedded_signatures)
    if not found:
        return None, ""
    if len(found) > 1:
        return "", f"has {len(found)} signatures, and the one that seals it is the only one it can have"
    certificate: asn1_x509.Certificate = found[0].signer_cert
    key = x509.load_der_x509_certificate(certificate.dump()).public_key()
    text = public_text(key) if is_usable(key) else ""
    # Who signed is judged by the same rules as the seal's own chain: here only whether the signature fits the whole file.
    status = validate_pdf_signature(found[0], ValidationContext(trust_roots=[certificate], allow_fetching=False))
    if not (status.intact and status.valid):
        return text, "has a signature that does not fit"
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return text, "was added to after it was signed"
    return text, ""


def is_signed_form(signed: Path, built: Path) -> bool:
    """Whether ``signed`` is the PDF ``built`` with one sound signature after it and nothing else. Raises ``OSError``."""
    before, after = built.read_bytes(), signed.read_bytes()
    if not after.startswith(before) or len(after) > MAX_PDF:
        return False
    key, problem = check_pdf(after)
    return key is not None and not problem
