"""Time stamps (RFC 3161, RFC 5816) over ``manifest.json``: that the case existed at a time which somebody else's clock tells.

Two steps, for nothing here ever contacts anybody: a request file is carried to a time stamping authority, its response is carried back and
lies in the case as ``timestamp-1.tsr`` (then 2, 3 …), as it came, so that ``openssl ts -verify -data manifest.json`` checks it too. The
request has no nonce: the response is bound to the manifest by its digest, and there is no connection that could be played again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.keys import MAX_CERTIFICATES
from triage.report.files import replacing
from triage.report.pdf_signature import quiet_pyhanko
from triage.report.seal import MANIFEST, TIMESTAMP, SealError, is_timestamp
from triage.report.trust import Trusted, judge

if TYPE_CHECKING:
    from asn1crypto import cms, tsp
    from cryptography import x509

MAX_TIMESTAMPS = 9


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp whose signature fits. ``time``: UTC. ``known``: a trusted authority made it; ``reason``: why not."""

    time: datetime
    authority: str
    known: bool
    reason: str = ""


def request(case: Path) -> bytes:
    """A request for a time stamp over the manifest: TimeStampReq in DER, SHA-256, asking for the certificate. Raises ``SealError``, ``OSError``."""
    from asn1crypto import tsp

    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(_manifest(case)).digest()}
    return bytes(tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True}).dump())


def add(case: Path, data: bytes) -> tuple[str, Stamp]:
    """Put an authority's response into the case, if it is one and fits; returns the name of its file. Raises ``SealError``, ``OSError``."""
    stamp = check(data, _manifest(case), Trusted())
    if isinstance(stamp, str):
        raise SealError(f"the response {stamp}")
    taken = {entry.name for entry in case.iterdir() if is_timestamp(entry.name)}
    name = next((TIMESTAMP.format(number) for number in range(1, MAX_TIMESTAMPS + 1) if TIMESTAMP.format(number) not in taken), None)
    if name is None:
        raise SealError(f"there are {MAX_TIMESTAMPS} time stamps already")
    with replacing(case / name) as file:
        file.write(data)
    return name, stamp


def check(data: bytes, manifest: bytes, trusted: Trusted) -> Stamp | str:
    """The time stamp in the response ``data`` (DER), or in words without their subject why it is none for ``manifest``. Never raises for content.

    The authority's certificate must have been valid, and not withdrawn, at the time that the stamp tells.
    """
    try:
        return _check(data, manifest, trusted)
    except Exception:  # asn1crypto and pyHanko have no common error for what is malformed
        return "is damaged, or is no time stamp"


def _check(data: bytes, manifest: bytes, trusted: Trusted) -> Stamp | str:
    import asyncio

    from asn1crypto import tsp
    from cryptography import x509
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
    from pyhanko_certvalidator import ValidationContext

    quiet_pyhanko()
    response = tsp.TimeStampResp.load(data, strict=True)
    status = response["status"]["status"].native
    if status not in ("granted", "granted_with_mods"):
        return f"says that no time stamp was given: {re.sub(r'[^a-z]+', ' ', status)}"
    token = response["time_stamp_token"]
    if response.dump(force=True) != data or token["content_type"].native != "signed_data":
        return "is damaged: it is not in the form in which it was written"
    signed: cms.SignedData = token["content"]
    facts: tsp.TSTInfo = signed["encap_content_info"]["content"].parsed
    algorithm = facts["message_imprint"]["hash_algorithm"]["algorithm"].native
    if algorithm not in ("sha256", "sha384", "sha512"):
        return f"uses {algorithm}, which is not trusted any more"
    if facts["message_imprint"]["hashed_message"].native != hashlib.new(algorithm, manifest).digest():
        return "is for something else than this manifest"
    moment = facts["gen_time"].native.astimezone(UTC)
    # Here only whether the signature fits; who made it is judged below, by the rules that hold for the seal's own signer.
    certificates = [item.chosen for item in signed["certificates"] if item.name == "certificate"]
    context = ValidationContext(trust_roots=certificates, moment=moment, allow_fetching=False)
    values: dict[str, Any] = asyncio.run(validate_tst_signed_data(signed, context, lambda name: hashlib.new(name, manifest).digest()))
    if not (values["intact"] and values["valid"]):
        return "has a signature that does not fit"
    authority = x509.load_der_x509_certificate(values["signing_cert"].dump())
    if not _is_for_stamps(authority):
        return "was not made by a time stamping authority"
    others = [x509.load_der_x509_certificate(item.dump()) for item in certificates if item != values["signing_cert"]]
    identity = judge(authority, others[:MAX_CERTIFICATES], trusted, moment)
    return Stamp(moment, identity.name, identity.known, identity.reason)


def _is_for_stamps(certificate: x509.Certificate) -> bool:
    """RFC 3161, 2.3: the extended key usage is there, critical, and names time stamping."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return usage.critical and ExtendedKeyUsageOID.TIME_STAMPING in usage.value


def _manifest(case: Path) -> bytes:
    path = case / MANIFEST
    if not path.is_file():
        raise SealError("the case is not sealed: there is no manifest that a time stamp could be for")
    return path.read_bytes()
