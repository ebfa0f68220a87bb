"""rclone: which clouds were set up, and which of them through its encryption. The keys and passwords beside them are not read.

``rclone.conf`` is an INI file: a section for each remote with ``type``; of type ``crypt`` with ``remote``, what it encrypts. The file itself may be encrypted
(``RCLONE_ENCRYPT_V0:``).

Source: rclone.org/docs and rclone.org/crypt; files that rclone writes.
"""

from __future__ import annotations

import re

from artefacts.applications.cloud_google_drive import HOW
from artefacts.applications.reading import Results, content
from artefacts.coverage import Encrypted, Unrecognised
from artefacts.observations import AccountUse, EncryptedItem
from artefacts.registry import Artefact, EvidenceFile

_NO_CLOUD = frozenset(
    ("local", "alias", "memory", "union", "combine", "cache", "chunker", "compress", "hasher")
)  # this computer, or what stands before another remote
_SECTION = re.compile(r"^\[([^\]\r\n]{1,200})\]\s*$")
_SETTING = re.compile(r"^(type|remote|user|host|url|provider) *= *(.{1,1000})$")


def parse(file: EvidenceFile) -> Results:
    """``AccountUse`` for each cloud or server, and ``EncryptedItem`` for each that encrypts. Raises ``Encrypted``."""
    data, problems = content(file, 4 << 20)
    text = data.decode("utf-8", "backslashreplace")
    if "RCLONE_ENCRYPT_V" in text[:4096]:
        raise Encrypted("the list of clouds is encrypted with a password")
    remotes: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        if (section := _SECTION.match(line)) is not None:
            current = remotes.setdefault(section[1], {})
        elif (setting := _SETTING.match(line.strip())) is not None:
            current[setting[1]] = setting[2].strip()
    if text.strip() and not remotes:
        raise Unrecognised("not the settings of rclone")
    yield from problems
    for name, remote in sorted(remotes.items()):
        kind = remote.get("type", "?")
        if kind == "crypt":
            yield EncryptedItem(
                kind="rclone crypt container (in a cloud or folder)", path=remote.get("remote", "?"), state="unknown",
                detail=f"the remote {name} of rclone encrypts what it stores there, names too unless told otherwise", locator=f"[{name}]",
            )  # fmt: skip
        elif kind not in _NO_CLOUD:
            place = remote.get("user") or remote.get("host") or remote.get("url") or remote.get("remote") or ""
            yield AccountUse(service=f"rclone: {kind}", account=f"{name} {place}".strip(), user=file.user, how=HOW, locator=f"[{name}]")


ARTEFACTS = (
    Artefact(
        id="applications.cloud.rclone",
        title="rclone: clouds",
        meaning="Clouds and servers that rclone copies to and from, and which of them it encrypts.",
        paths=("**/rclone.conf", "**/.rclone.conf"),
        parse=parse,
        references=("https://rclone.org/crypt/",),
        validation="files that rclone wrote (test); generated",
    ),
)
