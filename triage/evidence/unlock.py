"""Secrets the examiner gives, and the volumes they open. A secret is never stored, logged, printed or sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.evidence import luks1, luks2
from triage.evidence.bytesource import SECTOR, ByteStream, NativeBytes, plain_reason
from triage.evidence.encryption import Encryption
from triage.evidence.luks_cipher import LuksError
from triage.evidence.model import ByteSource

KINDS = ("password", "recovery_key", "keyfile")
_NATIVE_ERRORS = (OSError, RuntimeError, ValueError, MemoryError, TypeError)
MAX_KEYFILE = 8 << 20
"""cryptsetup reads no more of a key file."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """A password, a recovery key (BitLocker's 48 digits, FileVault's personal key) or the path of a key file.

    ``value`` is the secret itself. Neither ``repr`` nor ``str`` nor an error message ever shows it.
    """

    kind: str
    value: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a secret is one of {', '.join(KINDS)}")

    def __repr__(self) -> str:
        return f"Secret(kind={self.kind!r}, value=hidden)"


def parse_secret(line: str) -> Secret:
    """The secret in one line of text.

    It may begin with ``password:``, ``recovery_key:`` or ``keyfile:``; without that, 48 digits in eight groups are a BitLocker recovery
    key and anything else is a password, taken as it stands (only the line ending is removed).
    """
    text = line.rstrip("\r\n")
    kind, colon, value = text.partition(":")
    if colon and kind in KINDS:
        return Secret(kind, value if kind == "password" else value.strip())
    groups = text.strip().split("-")
    if len(groups) == 8 and all(len(group) == 6 and group.isdigit() for group in groups):
        return Secret("recovery_key", text.strip())
    return Secret("password", text)


def load_secrets(path: str | Path) -> list[Secret]:
    """The secrets in a UTF-8 text file, one a line as ``parse_secret`` reads it; empty lines are left out.

    A relative key file path counts from the file's folder. Raises ``OSError`` or ``UnicodeDecodeError``.
    """
    secrets = [parse_secret(line) for line in Path(path).read_text("utf-8-sig").split("\n") if line.strip("\r")]
    return [Secret("keyfile", str(Path(path).parent / item.value)) if item.kind == "keyfile" else item for item in secrets]


@dataclass(slots=True)
class Unlocked:
    """The outcome of an attempt: ``data`` the decrypted bytes or None; ``how`` in a few words; ``reason`` why it did not work."""

    data: ByteSource | None
    how: str = ""
    reason: str = ""


def unlock(data: ByteSource, encryption: Encryption, secrets: Sequence[Secret]) -> Unlocked:
    """Try to open an encrypted volume: first without a secret (BitLocker with suspended protection needs none), then with each.

    Never raises for what the bytes hold or for a wrong secret.
    """
    opener: Callable[[ByteSource, Encryption, Sequence[Secret]], Unlocked] | None = {
        "bitlocker": _unlock_bitlocker,
        "luks": _unlock_luks,
        "filevault": _unlock_filevault,
    }.get(encryption.kind)
    if opener is None:
        return Unlocked(None, reason="this program cannot open it")
    result = opener(data, encryption, secrets)
    if result.data is not None and not _readable(result.data):
        result.data.close()
        return Unlocked(None, reason="it opened but its first sector cannot be decrypted")
    if result.data is None and not result.reason:
        tried = "the secret given does not open it" if len(secrets) == 1 else f"none of the {len(secrets)} secrets given opens it"
        result.reason = tried if secrets else "no password or recovery key was given"
    return result


def _readable(data: ByteSource) -> bool:
    data.read_at(0, 512)
    return data.size > 0 and not data.errors


def _native(handle: Any, stream: ByteStream, size: int) -> NativeBytes:
    return NativeBytes(handle, size, also_close=[stream], align=SECTOR)


def _close(handle: Any) -> None:
    try:
        handle.close()
    except _NATIVE_ERRORS:  # libyal refuses to close what it opened only in part
        pass


def _unlock_bitlocker(data: ByteSource, encryption: Encryption, secrets: Sequence[Secret]) -> Unlocked:
    import pybde

    reason = ""
    for secret in (None, *secrets):
        volume = pybde.volume()
        stream = ByteStream(data, strict=True)
        try:
            if secret is not None:
                set_secret = {
                    "password": volume.set_password,
                    "recovery_key": volume.set_recovery_password,
                    "keyfile": volume.read_startup_key,
                }
                set_secret[secret.kind](secret.value)
            volume.open_file_object(stream)
            if not volume.is_locked() or volume.unlock():
                how = "without a secret: protection is suspended" if secret is None else f"with a {secret.kind.replace('_', ' ')}"
                return Unlocked(_native(volume, stream, volume.get_size()), how)
        except _NATIVE_ERRORS as error:
            # A secret of the wrong shape is refused before it is tried, and says nothing about the volume.
            if secret is None:
                reason = f"its metadata cannot be read: {plain_reason(error)}"
        _close(volume)
    return Unlocked(None, reason=reason)


def _passphrases(secrets: Sequence[Secret]) -> list[bytes]:
    found = []
    for secret in secrets:
        if secret.kind != "keyfile":
            found.append(secret.value.encode("utf-8", "surrogateescape"))
            continue
        try:
            with open(secret.value, "rb") as stream:
                found.append(stream.read(MAX_KEYFILE))
        except OSError:
            pass
    return found


def _unlock_luks(data: ByteSource, encryption: Encryption, secrets: Sequence[Secret]) -> Unlocked:
    version2 = "version 2" in encryption.detail
    if version2 or luks1.can_open(data):
        try:
            opened = (luks2.open_luks2 if version2 else luks1.open_luks1)(data, _passphrases(secrets))
        except LuksError as error:
            return Unlocked(None, reason=str(error))
        return Unlocked(opened, "with a password or key file")
    import pyluksde

    reason = ""
    for passphrase in (None, *_passphrases(secrets)):
        volume = pyluksde.volume()
        stream = ByteStream(data, strict=True)
        try:
            volume.open_file_object(stream)
            if passphrase is not None:
                volume.set_password(passphrase.decode("utf-8"))
                if volume.unlock():
                    return Unlocked(_native(volume, stream, volume.get_size()), "with a password or key file")
        except UnicodeDecodeError:
            pass  # libluksde takes text only: a key file of arbitrary bytes cannot be given to it
        except _NATIVE_ERRORS as error:
            if passphrase is None:
                reason = f"its header cannot be used: {plain_reason(error)}"
        _close(volume)
    return Unlocked(None, reason=reason)


def _unlock_filevault(data: ByteSource, encryption: Encryption, secrets: Sequence[Secret]) -> Unlocked:
    import pyfvde

    reason = ""
    for secret in (None, *secrets):
        volume = pyfvde.volume()
        stream = ByteStream(data, strict=True)
        try:
            volume.open_file_object(stream)
            volume.open_physical_volume_files_as_file_objects([stream])
            group = volume.get_volume_group()
            if group.get_number_of_logical_volumes() < 1:
                return Unlocked(None, reason="the Core Storage group holds no logical volume")
            logical = group.get_logical_volume(0)
            if secret is not None and secret.kind in ("password", "recovery_key"):
                (logical.set_password if secret.kind == "password" else logical.set_recovery_password)(secret.value)
                logical.unlock()
            if not logical.is_locked():
                how = "without a secret: it is not encrypted" if secret is None else f"with a {secret.kind.replace('_', ' ')}"
                return Unlocked(NativeBytes(logical, logical.get_size(), also_close=[volume, stream], align=SECTOR), how)
        except _NATIVE_ERRORS as error:
            if secret is None:
                reason = f"its metadata cannot be read: {plain_reason(error)}"
        _close(volume)
    return Unlocked(None, reason=reason)
