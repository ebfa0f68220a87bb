"""Accounts of the machine: the SAM hive, and the profiles of SOFTWARE. Neither hashes nor hints of passwords are read.

Source: J. Metz, "Security Account Manager" (winreg-kb): the fixed fields of ``F``, and the table of offsets in ``V`` (from 0xCC on).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.observations import AccountUse, Observation, UserAccount
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_filetime
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import REFERENCE, SAM, SOFTWARE, Results, filetime_at, read_hive

_V_STRINGS = 0xCC  # what the offsets of V count from
_DISABLED = 1


def parse_sam(file: EvidenceFile) -> Results:
    """``UserAccount`` for each account of a SAM hive, and ``AccountUse`` where one is joined to a Microsoft account."""
    return read_hive(file, _sam)


def parse_profiles(file: EvidenceFile) -> Results:
    """``UserAccount`` for each profile that a SOFTWARE hive lists: its SID, its folder, and when it was last loaded."""
    return read_hive(file, _profiles)


def _sam(hive: Hive) -> Iterator[Observation]:
    users = hive.key(r"SAM\Domains\Account\Users")
    if users is None:
        return
    names = users.subkey("Names")
    # The number of the account is the *type* of the default value of its name.
    named = {value.type: key for key in (names.subkeys() if names else ()) if (value := key.value("")) is not None}
    for key in users.subkeys():
        try:
            number = int(key.name, 16)
        except ValueError:
            continue
        fixed, variable = key.binary("F"), key.binary("V")
        if fixed is None or len(fixed) < 68:
            hive.report("an account without its fixed fields", key.locator)
            continue
        last, changed, failed = (filetime_at(fixed, at) for at in (8, 24, 40))
        flags, failures, count = struct.unpack_from("<H", fixed, 56)[0], *struct.unpack_from("<HH", fixed, 64)
        name = _string(variable, 1) or (named[number].name if number in named else "")
        if not name:
            hive.report("an account without a name", key.locator)
        yield UserAccount(
            name=name or f"account {number}",
            identifier=f"RID {number}",
            full_name=_string(variable, 2),
            comment=_string(variable, 3),
            created=named[number].written if number in named else NOT_RECORDED,
            last_sign_in=last,
            password_changed=changed,
            last_failed=failed,
            sign_ins=count,
            failed_sign_ins=failures,
            disabled=bool(flags & _DISABLED),
            how="SAM",
            locator=key.locator,
        )
        address = key.binary("InternetUserName")
        if address:
            yield AccountUse(service="Microsoft account", account=utf16(address), user=name or None, how="SAM", locator=key.locator)


def _string(variable: bytes | None, number: int) -> str | None:
    if variable is None or len(variable) < number * 12 + 12:
        return None
    offset, length = struct.unpack_from("<II", variable, number * 12)
    return utf16(variable[_V_STRINGS + offset : _V_STRINGS + offset + length]) or None


def _profiles(hive: Hive) -> Iterator[Observation]:
    profiles = hive.key(r"Microsoft\Windows NT\CurrentVersion\ProfileList")
    for key in profiles.subkeys() if profiles else ():
        home = key.text("ProfileImagePath")
        if not home or not key.name.upper().startswith("S-1-"):
            continue
        yield UserAccount(
            name=home.replace("/", "\\").rstrip("\\").rpartition("\\")[2],
            identifier=key.name,
            home=home,
            last_sign_in=_halves(key, "LocalProfileLoadTime"),
            how="ProfileList",
            locator=key.locator,
        )


def _halves(key: Key, name: str) -> Time:
    high, low = key.number(f"{name}High"), key.number(f"{name}Low")
    return NOT_RECORDED if high is None or low is None else from_filetime(high << 32 | low)


ARTEFACTS = (
    Artefact(
        id="windows.registry.sam",
        title="Windows registry: accounts",
        meaning="The accounts of this machine, how often and when each last signed in, and when its password was last changed.",
        paths=SAM,
        parse=parse_sam,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/security-account-manager-keys/Accounts.html",),
        systems=("windows",),
        validation="specimens of Windows 8 and 10",
    ),
    Artefact(
        id="windows.registry.profiles",
        title="Windows registry: user profiles",
        meaning="Whose profiles are or were on this machine, with the identifier that other records give for each.",
        paths=SOFTWARE,
        parse=parse_profiles,
        references=(REFERENCE,),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
