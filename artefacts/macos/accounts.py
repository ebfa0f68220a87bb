"""Accounts of a Mac: local users, who signed in last, and Apple Accounts used here. Never a password, nor anything made of one.

Sources: Open Directory's local node (one property list a user, every value in a list; ``accountPolicyData`` and ``passwordpolicyoptions`` are property
lists inside it, the first with Unix seconds, the second with dates); com.apple.loginwindow.plist; the specimens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artefacts import plist
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.macos.property_lists import date, first, table, text
from artefacts.observations import AccountUse, Observation, SystemFact, UserAccount
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_unix

Results = Iterator[Observation | Problem]

_COCOA_ZERO = 978_307_200 * 1_000_000_000  # 2001-01-01: how the policy options say "never"


def parse(file: EvidenceFile) -> Results:
    """One ``UserAccount``, with a ``Problem`` for a policy inside it that cannot be read."""
    record = table(file)
    name = text(first(record.get("name")))
    if name is None:
        raise Unrecognised("a property list, but not of a user")
    policy: Mapping[str, Any] = {}
    for key in ("passwordpolicyoptions", "accountPolicyData"):
        data = first(record.get(key))
        if isinstance(data, bytes):
            try:
                found = plist.load(data)
            except ValueError as error:
                yield Problem(f"the account's policy is {error}", Status.FAILED, key)
                continue
            policy = {**policy, **found} if isinstance(found, dict) else policy
    failed = policy.get("failedLoginCount")
    authority = record.get("authentication_authority")
    words = authority if isinstance(authority, list) else []
    yield UserAccount(
        name=name,
        identifier=text(first(record.get("uid"))),
        full_name=text(first(record.get("realname"))),
        created=_time(policy.get("creationTime")),
        last_sign_in=_time(policy.get("lastLoginTimestamp")),
        password_changed=_time(policy.get("passwordLastSetTime")),
        last_failed=_time(policy.get("failedLoginTimestamp")),
        failed_sign_ins=failed if isinstance(failed, int) else None,
        disabled=any("DisabledUser" in item for item in words if isinstance(item, str)),
        home=text(first(record.get("home"))),
        how="Open Directory, local node",
    )
    linked = record.get("LinkedIdentity")
    if linked or any("Kerberos.MobileMe" in item for item in words if isinstance(item, str)):
        yield AccountUse(service="Apple Account", user=name, how="linked to the local account", locator="LinkedIdentity")


def _time(value: Any) -> Time:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return from_unix(value)
    found = date(value)
    return NOT_RECORDED if isinstance(found, Timestamp) and found.ns == _COCOA_ZERO else found


def parse_login_window(file: EvidenceFile) -> Results:
    """``SystemFact`` for the last user to sign in, automatic sign-in and the guest account."""
    settings = table(file)
    for key, name in (
        ("lastUserName", "last user to sign in"),
        ("autoLoginUser", "signs in by itself"),
        ("lastUser", "state at the last shutdown"),
    ):
        if value := text(settings.get(key)):
            yield SystemFact(name=name, value=value, locator=key)
    if isinstance(settings.get("GuestEnabled"), bool):
        yield SystemFact(name="guest account", value="on" if settings["GuestEnabled"] else "off", locator="GuestEnabled")


def parse_apple_account(file: EvidenceFile) -> Results:
    """``AccountUse`` for each Apple Account in the sign-in information of a user."""
    accounts = table(file).get("Accounts")
    for name, account in sorted(accounts.items()) if isinstance(accounts, dict) else ():
        if isinstance(account, dict):
            yield AccountUse(
                service="Apple Account", account=text(account.get("AppleID")) or name, time=date(account.get("CreationDate")),
                last=date(account.get("LastSuccessfulConnect")), user=file.user, how="Apple Account sign-in information", locator=f"Accounts/{name}",
            )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="macos.user_account",
        title="Accounts",
        meaning="Who has an account on this Mac, and when they last signed in where that is recorded.",
        paths=("**/var/db/dslocal/nodes/*/users/*.plist",),
        parse=parse,
        references=("https://developer.apple.com/documentation/opendirectory",),
        systems=("macos",),
        validation="specimens of OS X 10.9 and macOS 10.13; generated",
    ),
    Artefact(
        id="macos.login_window",
        title="Sign-in window",
        meaning="Who signed in last, and whether the Mac signs somebody in by itself.",
        paths=("**/Library/Preferences/com.apple.loginwindow.plist",),
        parse=parse_login_window,
        references=("https://developer.apple.com/documentation/devicemanagement/loginwindow",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.apple_account",
        title="Apple Accounts",
        meaning="Apple Accounts that were signed in to, with first and last connection.",
        paths=("**/com.apple.coreservices.appleidauthenticationinfo*.plist",),
        parse=parse_apple_account,
        references=("https://support.apple.com/apple-account",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
)
