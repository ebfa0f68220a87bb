"""Signing keys: from an encrypted PKCS#8 file (Ed25519, or ECDSA on P-256), or one made for the case and gone with the process.

A key made for the case proves that nothing was changed after the seal, not who sealed it: "unknown signer". It lives in memory only, so
a scan that was killed goes on with another one. That is sound because the journal names the key in force (``case_opened`` and each
``scan_started`` carry ``public_key``): a checkpoint is checked against the key named last before it, and the seal, over the whole
journal, against the key named last of all. A key from a file stays the same throughout.

A signature is 64 bytes whatever the key: of Ed25519 as RFC 8032 has it; of ECDSA over SHA-256, r and s as 32 bytes each (IEEE P1363), s
being the lower of the two that hold, so that there is one signature text for one signing. A public key is told by its length: the 32 bytes
of Ed25519, or the 65 of an uncompressed point on P-256 (SEC 1, 2.3.3).

Formats: PKCS#8 EncryptedPrivateKeyInfo, RFC 5958 section 3; PBES2, RFC 8018; scrypt as its key derivation, RFC 7914 section 7;
Ed25519 in PKCS#8, RFC 8410. The ``cryptography`` library reads all of them; what it writes is PBKDF2 with 2,048 rounds, too few for a
stick that can be lost, hence the small writer below.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from triage.token_key import TokenKey

    PublicKey = Ed25519PublicKey | EllipticCurvePublicKey

MAX_BYTES = 1 << 20
MAX_CERTIFICATES = 8
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 14, 8, 8  # as dear as N = 2**17, within the 32 MiB that the openssl command allows itself
UNKNOWN_SIGNER = "unknown signer (key made for this case)"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2: n
PUBLIC_BYTES = (32, 65)
Passphrase = Callable[[], str]


class SigningKeyError(Exception):
    """A key or certificate cannot be used; the text says why in one sentence."""


@dataclass(slots=True)
class Signer:
    """Signs for a case. ``known``: the key came from a file, so somebody can be held to it. ``certificates``: the signer's first."""

    private_key: Ed25519PrivateKey | EllipticCurvePrivateKey | TokenKey
    known: bool
    name: str
    certificates: list[x509.Certificate] = field(default_factory=list)

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of the signature. Raises ``SigningKeyError`` where a token is gone or refuses."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        if isinstance(self.private_key, EllipticCurvePrivateKey):
            return ecdsa_bytes(*decode_dss_signature(self.private_key.sign(data, ECDSA(SHA256()))))
        return self.private_key.sign(data)

    @property
    def public_key(self) -> str:
        """The raw public key in base64, as the journal and the seal name it."""
        return public_text(self.private_key.public_key())

    def checkpoint(self, lines: int, head: str) -> str:
        """For ``Journal(checkpoint=…)``: a signature, in base64, over how long the journal is and what it holds."""
        return base64.b64encode(self.sign(checkpoint_message(lines, head))).decode("ascii")


def checkpoint_message(lines: int, head: str) -> bytes:
    """What a checkpoint signs."""
    return f"triage checkpoint\n{lines}\n{head}".encode("ascii")


def ecdsa_bytes(r: int, s: int) -> bytes:
    """An ECDSA signature on P-256 in its one form of 64 bytes."""
    return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")


def public_text(key: PublicKey) -> str:
    """A public key in base64: 44 characters of Ed25519, 88 of P-256."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.b64encode(raw).decode("ascii")


def is_usable(key: object) -> TypeGuard[PublicKey]:
    """Whether a public key is of a kind that cases are signed with."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1))


def verifies(key: str, signature: Any, message: bytes) -> bool:
    """Whether ``signature`` (base64, written in its one proper form) is that of ``key`` (base64) over ``message``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    raw_key, raw = strict_base64(key, *PUBLIC_BYTES), strict_base64(signature, 64)
    if raw_key is None or raw is None:
        return False
    try:
        if len(raw_key) == PUBLIC_BYTES[0]:
            Ed25519PublicKey.from_public_bytes(raw_key).verify(raw, message)
            return True
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw_key)
        point.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
        return s <= P256_ORDER // 2
    except (InvalidSignature, ValueError):
        return False


def strict_base64(text: Any, *lengths: int) -> bytes | None:
    """The bytes, one of ``lengths`` of them, that ``text`` stands for; None if it is anything else. Spare bits must be zero: one text for one
    value."""
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return None
    return raw if len(raw) in lengths and base64.b64encode(raw).decode("ascii") == text else None


def case_signer() -> Signer:
    """A key for one run of one case, never written anywhere."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signer(Ed25519PrivateKey.generate(), known=False, name=UNKNOWN_SIGNER)


def passphrase_from(*, file: Path | None = None, variable: str | None = None, ask: Passphrase | None = None) -> Passphrase:
    """Where a passphrase comes from, tried in this order: the first line of a file, an environment variable that is set, a question.

    The result raises ``SigningKeyError`` when none of them gives one. It is called only if a key is encrypted.
    """

    def read() -> str:
        if file is not None:
            try:
                text = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeError) as error:
                raise SigningKeyError(f"the passphrase file {file} cannot be read: {error}") from None
            if not text or not text[0]:
                raise SigningKeyError(f"the passphrase file {file} is empty")
            return text[0]
        if variable is not None and os.environ.get(variable):
            return os.environ[variable]
        if ask is not None:
            return ask()
        raise SigningKeyError("the key is encrypted and no passphrase was given")

    return read


def load_signer(path: Path, passphrase: Passphrase, *, certificates: Path | None = None, allow_unencrypted: bool = False) -> Signer:
    """The signer of a key file (PEM, PKCS#8; Ed25519 or P-256).

    ``certificates``: a PEM file with the signer's X.509 certificate first and its issuers after it; without it a file beside the key with
    the suffix ``.crt`` or ``.cer`` is used where there is one. Raises ``SigningKeyError``.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path, "key file")
    secret: bytes | None = None
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in data:
        secret = passphrase().encode()
        if not secret:
            raise SigningKeyError("the passphrase is empty")
    elif b"-----BEGIN PRIVATE KEY-----" not in data:
        raise SigningKeyError(f"the key file {path} is not a PKCS#8 private key in PEM form")
    elif not allow_unencrypted:
        raise SigningKeyError(f"the key file {path} is not encrypted: anybody who finds the stick could sign with it")
    try:
        key = load_pem_private_key(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm, MemoryError) as error:
        hint = "the passphrase is wrong, or the file is damaged" if secret else str(error)
        raise SigningKeyError(f"the key file {path} cannot be opened: {hint}") from None
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey) or not is_usable(key.public_key()):
        raise SigningKeyError(f"the key file {path} does not hold an Ed25519 or P-256 key")
    beside = certificates or next((p for p in (path.with_suffix(".crt"), path.with_suffix(".cer")) if p != path and p.is_file()), None)
    return certified(Signer(key, known=True, name=path.stem), beside)


def certified(signer: Signer, beside: Path | None) -> Signer:
    """``signer`` with the certificates in the PEM file ``beside``, the first of which must be for its key; None: without any."""
    if beside is None:
        return signer
    chain = read_certificates(_read(beside, "certificate file"))
    if not chain:
        raise SigningKeyError(f"the certificate file {beside} holds no certificate in PEM form")
    owner = chain[0].public_key()
    if not is_usable(owner) or public_text(owner) != signer.public_key:
        raise SigningKeyError(f"the first certificate in {beside} is not for the key of {signer.name}")
    signer.certificates, signer.name = chain, certificate_name(chain[0])
    return signer


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """The certificates in PEM text, at most eight. Raises ``SigningKeyError`` for one that cannot be read."""
    from cryptography import x509

    if b"-----BEGIN CERTIFICATE-----" not in data:
        return []
    try:
        chain = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise SigningKeyError(f"a certificate cannot be read: {error}") from None
    if len(chain) > MAX_CERTIFICATES:
        raise SigningKeyError(f"there are more than {MAX_CERTIFICATES} certificates")
    return chain


def certificate_name(certificate: x509.Certificate) -> str:
    """The common name of the holder, or the whole subject where there is none."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def write_key(path: Path, key: Ed25519PrivateKey | EllipticCurvePrivateKey, passphrase: str) -> None:
    """Write ``key`` as encrypted PKCS#8 (PBES2: scrypt, AES-256-CBC), readable by its owner only. Raises ``OSError``; never overwrites."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(encrypted_pem(key, passphrase))


def encrypted_pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey, passphrase: str) -> bytes:
    """``key`` as PEM text of an EncryptedPrivateKeyInfo."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if not passphrase:
        raise SigningKeyError("the passphrase is empty")
    salt, vector = os.urandom(16), os.urandom(16)
    secret = hashlib.scrypt(passphrase.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=64 << 20, dklen=32)
    padder = PKCS7(128).padder()
    plain = padder.update(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) + padder.finalize()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    derivation = _der(0x30, _SCRYPT + _der(0x30, _der(0x04, salt) + _integer(SCRYPT_N) + _integer(SCRYPT_R) + _integer(SCRYPT_P)))
    scheme = _der(0x30, _AES_256_CBC + _der(0x04, vector))
    algorithm = _der(0x30, _PBES2 + _der(0x30, derivation + scheme))
    whole = _der(0x30, algorithm + _der(0x04, encryptor.update(plain) + encryptor.finalize()))
    text = base64.b64encode(whole).decode("ascii")
    body = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode("ascii")


# Object identifiers in DER: 1.2.840.113549.1.5.13, 1.3.6.1.4.1.11591.4.11, 2.16.840.1.101.3.4.1.42
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _read(path: Path, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SigningKeyError(f"the {what} {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise SigningKeyError(f"the {what} {path} is larger than {MAX_BYTES} bytes")
    return data
