"""Who signed: trusted keys, certificate chains, and everything that must not pass for one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from triage.journal import Journal
from triage.keys import Signer, public_text
from triage.report.seal import seal
from triage.report.trust import identify, read_trusted
from triage.report.verify import verify

Key = Ed25519PrivateKey | ec.EllipticCurvePrivateKey
SEALED_AT = "2026-11-21T09:00:00.000000Z"


def usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def issue(
    key: Key,
    name: str,
    issuer_key: Key,
    issuer: str,
    *,
    ca: bool = True,
    path: int | None = None,
    extra: list[Any] | None = None,
    years: tuple[int, int] = (2025, 2030),
) -> x509.Certificate:
    def called(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    start, end = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in years)
    builder = x509.CertificateBuilder(called(issuer), called(name), key.public_key(), x509.random_serial_number(), start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca, path if ca else None), critical=True)
    for extension in extra or []:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, SHA256() if isinstance(issuer_key, ec.EllipticCurvePrivateKey) else None)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


ROOT, MIDDLE, OFFICER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
ROOT_CERTIFICATE = issue(ROOT, "Root", ROOT, "Root")
MIDDLE_CERTIFICATE = issue(MIDDLE, "Middle", ROOT, "Root", path=0, extra=[usage(key_cert_sign=True)])
OFFICER_CERTIFICATE = issue(OFFICER, "PC Demo", MIDDLE, "Middle", ca=False, extra=[usage(digital_signature=True)])


def known(
    tmp_path: Path, chain: list[x509.Certificate], trusted: list[x509.Certificate], sealed_at: str | None = SEALED_AT
) -> tuple[bool, str]:
    path = tmp_path / "trusted.pem"
    path.write_text("".join(pem(item) for item in trusted))
    identity = identify(public_text(OFFICER.public_key()), [pem(item) for item in chain], "says it is me", read_trusted([path]), sealed_at)
    assert identity.known is (identity.reason == "")
    return identity.known, identity.name if identity.known else identity.reason


def test_a_chain_to_a_trusted_root(tmp_path: Path) -> None:
    assert known(tmp_path, [OFFICER_CERTIFICATE, MIDDLE_CERTIFICATE], [ROOT_CERTIFICATE]) == (True, "PC Demo")
    assert known(tmp_path, [OFFICER_CERTIFICATE, ROOT_CERTIFICATE, MIDDLE_CERTIFICATE], [ROOT_CERTIFICATE]) == (True, "PC Demo")


def test_the_issuers_may_be_given_by_the_verifier(tmp_path: Path) -> None:
    assert known(tmp_path, [OFFICER_CERTIFICATE], [ROOT_CERTIFICATE, MIDDLE_CERTIFICATE]) == (True, "PC Demo")
    assert known(tmp_path, [], [OFFICER_CERTIFICATE]) == (True, "PC Demo")


def test_a_root_of_another_kind(tmp_path: Path) -> None:
    root = ec.generate_private_key(ec.SECP256R1())
    certificate = issue(OFFICER, "PC Demo", root, "Root P", ca=False)
    assert known(tmp_path, [certificate], [issue(root, "Root P", root, "Root P")]) == (True, "PC Demo")


REFUSED: dict[str, tuple[Callable[[], list[x509.Certificate]], str]] = {
    "no certificate": (lambda: [], "no certificate for it is in the seal"),
    "somebody else's certificate": (lambda: [MIDDLE_CERTIFICATE], "no certificate for it is in the seal"),
    "the link is missing": (lambda: [OFFICER_CERTIFICATE], "nobody who is trusted has certified PC Demo"),
    "signed by himself": (lambda: [issue(OFFICER, "PC Demo", OFFICER, "PC Demo")], "nobody who is trusted"),
    "a root of the same name": (lambda: [issue(OFFICER, "PC Demo", OFFICER, "Root", ca=False)], "nobody who is trusted"),
    "an issuer that is no authority": (
        lambda: [issue(OFFICER, "PC Demo", MIDDLE, "Plain", ca=False), issue(MIDDLE, "Plain", ROOT, "Root", ca=False)], "nobody who is trusted",
    ),
    "an issuer that may not certify": (
        lambda: [issue(OFFICER, "PC Demo", MIDDLE, "M", ca=False), issue(MIDDLE, "M", ROOT, "Root", extra=[usage(digital_signature=True)])],
        "nobody who is trusted",
    ),
    "a chain longer than allowed": (
        lambda: [
            issue(OFFICER, "PC Demo", OFFICER, "Low", ca=False), issue(OFFICER, "Low", MIDDLE, "Middle"), MIDDLE_CERTIFICATE,
        ], "nobody who is trusted",
    ),
    "expired": (lambda: [issue(OFFICER, "PC Demo", ROOT, "Root", ca=False, years=(2024, 2026))], "was not valid when it was used"),
    "not yet valid": (lambda: [issue(OFFICER, "PC Demo", ROOT, "Root", ca=False, years=(2027, 2030))], "was not valid when it was used"),
    "an expired issuer": (
        lambda: [issue(OFFICER, "PC Demo", MIDDLE, "Old", ca=False), issue(MIDDLE, "Old", ROOT, "Root", years=(2020, 2025))],
        "the certificate of Old was not valid",
    ),
    "not for signing": (lambda: [issue(OFFICER, "PC Demo", ROOT, "Root", ca=False, extra=[usage(key_agreement=True)])], "is not for signing"),
    "a circle": (
        lambda: [issue(OFFICER, "A", MIDDLE, "B"), issue(MIDDLE, "B", OFFICER, "A"), issue(OFFICER, "A", MIDDLE, "B")], "nobody who is trusted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    build, reason = REFUSED[name]
    trusted, why = known(tmp_path, build(), [ROOT_CERTIFICATE])
    assert not trusted
    assert reason in why


def test_no_time_of_sealing(tmp_path: Path) -> None:
    assert known(tmp_path, [OFFICER_CERTIFICATE, MIDDLE_CERTIFICATE], [ROOT_CERTIFICATE], None)[0] is False
    assert known(tmp_path, [OFFICER_CERTIFICATE, MIDDLE_CERTIFICATE], [ROOT_CERTIFICATE], "2026-11-21T09:00:00")[0] is False
    assert known(tmp_path, [OFFICER_CERTIFICATE, MIDDLE_CERTIFICATE], [ROOT_CERTIFICATE], "yesterday")[0] is False


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "trusted.pem"
    path.write_text(pem(ROOT_CERTIFICATE))
    key = public_text(OFFICER.public_key())
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert not identify(key, [broken], "me", read_trusted([path]), SEALED_AT).known
    assert not identify(key, ["junk", "é"], "me", read_trusted([path]), SEALED_AT).known


def test_forms_of_trusted_keys(tmp_path: Path) -> None:
    public = OFFICER.public_key()
    forms = {
        "a.pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "b.txt": (public_text(public) + "\n").encode(),
        "c.txt": public.public_bytes_raw().hex().upper().encode(),
    }
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        trusted = read_trusted([tmp_path / name])
        assert (trusted.keys, trusted.problems) == ({public_text(public): name[0]}, [])


def test_trusted_files_that_are_none(tmp_path: Path) -> None:
    for data in (
        b"",
        b"junk\n",
        b"\xff\xfe",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ):
        (tmp_path / "x").write_bytes(data)
        trusted = read_trusted([tmp_path / "x"])
        assert len(trusted.problems) == 1
        assert not trusted.keys
        assert not trusted.certificates
    assert len(read_trusted([tmp_path / "absent", tmp_path]).problems) == 2


def test_from_seal_to_verdict(tmp_path: Path) -> None:
    signer = Signer(OFFICER, known=True, name="PC Demo", certificates=[OFFICER_CERTIFICATE, MIDDLE_CERTIFICATE])
    case = tmp_path / "case"
    case.mkdir()
    log = Journal(case / "journal.jsonl", checkpoint=signer.checkpoint)
    log.append("case_opened", {"public_key": signer.public_key})
    seal(case, log, signer)
    log.close()
    root = tmp_path / "root.pem"
    root.write_text(pem(ROOT_CERTIFICATE))
    assert verify(case).state == "intact_unknown"
    verdict = verify(case, trusted=[root])
    assert (verdict.state, verdict.signer) == ("intact_known", "PC Demo")
    (case / "extra").write_text("x")
    assert verify(case, trusted=[root]).state == "altered"
