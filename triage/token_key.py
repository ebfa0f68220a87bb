"""A signing key on a PKCS#11 token (smart card, YubiKey): the key never leaves it. Needs the optional extra ``token`` (python-pkcs11).

Only keys on P-256 are used: every token has them. The token signs the SHA-256 of what is signed (CKM_ECDSA, PKCS #11 v2.40, 2.3.6), and
gives r and s as 32 bytes each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from triage.keys import Passphrase, Signer, SigningKeyError, certified, ecdsa_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

T = TypeVar("T")


class TokenKey:
    """A private key on a token, as far as ``keys.Signer`` needs one. The token stays unlocked for this program until ``close``."""

    def __init__(self, session: Any, key: Any, public: EllipticCurvePublicKey) -> None:
        self._session, self._key, self._public = session, key, public

    def close(self) -> None:
        """Let go of the token."""
        self._session.close()

    def sign(self, data: bytes) -> bytes:
        """64 bytes; see triage/keys.py. Raises ``SigningKeyError``."""
        from pkcs11 import Mechanism

        raw = _asked(lambda: self._key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA))
        if len(raw) != 64:
            raise SigningKeyError("the token gave a signature of another kind than was asked for")
        return ecdsa_bytes(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    def public_key(self) -> EllipticCurvePublicKey:
        """The public half."""
        return self._public


def load_token(module: Path, pin: Passphrase, *, token: str | None, label: str | None, certificates: Path | None) -> Signer:
    """The signer of a token. ``module``: the maker's PKCS#11 library; ``token``: the token's name where there are several; ``label``: the key's
    name where it holds several; ``certificates``: a PEM file, the signer's first; without it the certificate on the token is used.

    Raises ``SigningKeyError``.
    """
    try:
        import pkcs11
        from pkcs11 import TokenFlag
    except ImportError:
        raise SigningKeyError("this program was built without support for tokens (python-pkcs11)") from None

    library = _asked(lambda: pkcs11.lib(str(module)))
    listed = _asked(lambda: list(library.get_tokens()))  # among them places where a token could still be made
    found = [item for item in listed if token in (None, item.label) and TokenFlag.TOKEN_INITIALIZED in item.flags]
    if len(found) != 1:
        names = ", ".join(sorted(str(item.label) for item in found))
        raise SigningKeyError(f"there are {len(found)} tokens ({names}): name one with --token" if found else "there is no such token")
    session = _asked(lambda: found[0].open(user_pin=pin()))
    try:
        return _signer(session, str(found[0].label), label, certificates)
    except BaseException:
        session.close()
        raise


def _signer(session: Any, holder: str, label: str | None, certificates: Path | None) -> Signer:
    from cryptography import x509
    from pkcs11 import Attribute, KeyType, ObjectClass

    wanted: dict[Any, Any] = {Attribute.KEY_TYPE: KeyType.EC, **({Attribute.LABEL: label} if label else {})}
    privates = _asked(lambda: list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **wanted})))
    if len(privates) != 1:
        raise SigningKeyError(
            f"the token {holder} holds {len(privates)} keys that fit: "
            + ("name one with --token-key" if privates else "a P-256 key is needed")
        )
    identity = _asked(lambda: privates[0][Attribute.ID])
    publics = _asked(lambda: list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: identity})))
    if not publics:
        raise SigningKeyError(f"the token {holder} does not hold the public half of its key")
    public = _point(_asked(lambda: bytes(publics[0][Attribute.EC_POINT])))
    signer = Signer(TokenKey(session, privates[0], public), known=True, name=str(privates[0][Attribute.LABEL] or holder))
    if certificates is None:
        held = _asked(lambda: list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: identity})))
        signer.certificates = [x509.load_der_x509_certificate(bytes(item[Attribute.VALUE])) for item in held[:1]]
        if signer.certificates:
            from triage.keys import certificate_name

            signer.name = certificate_name(signer.certificates[0])
        return signer
    return certified(signer, certificates)


def _point(value: bytes) -> EllipticCurvePublicKey:
    """CKA_EC_POINT: an uncompressed point within a DER OCTET STRING; some tokens leave the wrapping out."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), value[2:] if value[:2] == b"\x04\x41" else value)
    except ValueError:
        raise SigningKeyError("the key on the token is not on P-256") from None


def _asked(question: Callable[[], T]) -> T:
    """What the token answers; its own errors as a sentence."""
    import pkcs11

    try:
        return question()
    except pkcs11.exceptions.PinIncorrect:
        raise SigningKeyError("the PIN of the token is wrong: after a few wrong ones it locks itself") from None
    except pkcs11.exceptions.PinLocked:
        raise SigningKeyError("the token has locked itself after too many wrong PINs") from None
    except (pkcs11.exceptions.PKCS11Error, RuntimeError, KeyError, ValueError) as error:
        raise SigningKeyError(f"the token does not answer as it should: {error or type(error).__name__}") from None
