"""What programs were allowed to see and do: ``TCC.db`` (transparency, consent and control) of the system and of each user.

Source: table access as on macOS 10.9 to 15: ``allowed`` before macOS 11, ``auth_value`` since (0 denied, 1 unknown, 2 allowed, 3 limited). Times are Unix seconds.
"""

from __future__ import annotations

from artefacts.observations import PolicySetting
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import Results, number_time, rows_of
from artefacts.times import Timestamp, from_unix

_SERVICES = {
    "SystemPolicyAllFiles": "all files on the disk", "ScreenCapture": "record the screen", "Camera": "camera", "Microphone": "microphone",
    "Accessibility": "control the computer", "ListenEvent": "see all key presses", "PostEvent": "press keys by itself", "AppleEvents": "control other programs",
    "SystemPolicyRemovableVolumes": "removable volumes", "SystemPolicyNetworkVolumes": "network volumes", "AddressBook": "contacts", "Photos": "photos",
    "SystemPolicyDownloadsFolder": "downloads", "SystemPolicyDocumentsFolder": "documents", "SystemPolicyDesktopFolder": "desktop", "Calendar": "calendar",
    "SystemPolicySysAdminFiles": "settings of the system", "Location": "location", "DeveloperTool": "run programs that Apple has not checked",
}  # fmt: skip
_ANSWERS = {0: "denied", 1: "unknown", 2: "allowed", 3: "limited"}


def parse(file: EvidenceFile) -> Results:
    """``PolicySetting`` for each program and each thing that it asked for."""

    def read(row: Row, _: Database) -> Results:
        service = (row.text("service") or "").removeprefix("kTCCService")
        answer, old = row.integer("auth_value"), row.integer("allowed")
        words = _ANSWERS.get(answer, f"unknown ({answer})") if answer is not None else "allowed" if old else "denied"
        changed = number_time(row, "last_modified", from_unix)
        when = f", since {changed.isoformat()}" if isinstance(changed, Timestamp) else ""
        yield PolicySetting(
            program=row.text("client") or "[no name]",
            setting=f"privacy: {_SERVICES.get(service, service)}",
            value=words,
            meaning=f"{words} by the privacy settings of the Mac{when}",
            user=file.user,
            locator=row.locator,
        )

    yield from rows_of(file, "access", ("service", "client"), ("auth_value", "allowed", "last_modified"), read)


ARTEFACTS = (
    Artefact(
        id="macos.privacy",
        title="Privacy permissions (TCC)",
        meaning="Programs that were allowed, or refused, the screen, the keyboard, the camera, all files and the like.",
        paths=("**/com.apple.TCC/TCC.db",),
        parse=parse,
        references=("https://www.rainforestqa.com/blog/macos-tcc-db-deep-dive",),
        systems=("macos",),
    ),
)
