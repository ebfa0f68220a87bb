"""Pages in the tabs of Chromium browsers, open or recently closed: SNSS files.

Sources: Chromium's components/sessions/core (command_storage_backend.cc: ``SNSS``, version, commands of a 16-bit size and an 8-bit id;
session_service_commands.cc and tab_restore_service_impl.cc: ids of the command for one page of a tab; serialized_navigation_entry.cc: its
pickle) and base/pickle.h (values aligned to 4 bytes).
"""

from __future__ import annotations

from artefacts.browsers.profiles import CHROMIUM, owner
from artefacts.browsers.reading import Results, is_address
from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.observations import PageVisit
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_webkit

LARGEST = 128 << 20  # bytes
_OPEN, _CLOSED = (6, "tab that was open"), (1, "tab that was closed")


def parse(file: EvidenceFile) -> Results:
    """``PageVisit`` for each page that was ever in a tab, each address and time once; the time is that of the page's loading."""
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    if not data:
        return
    if data[:4] != b"SNSS":
        raise Unrecognised("not a session file of a Chromium browser")
    version = int.from_bytes(data[4:8], "little")
    if version in (2, 4, 5):
        raise Encrypted("the browser encrypted its session file")
    if version not in (1, 3):
        raise Unrecognised(f"session file of version {version}")
    if len(data) > LARGEST:
        yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"offset={LARGEST}")
    wanted, what = _CLOSED if "tabs" in file.name.lower() else _OPEN
    told: set[tuple[str, Time]] = set()
    place = 8
    while place + 2 <= len(data):
        size = int.from_bytes(data[place : place + 2], "little")
        command = data[place + 2 : place + 2 + size]
        if size == 0 or len(command) < size:
            yield Problem("a command is cut short or damaged: the rest was not read", Status.FAILED, f"offset={place}")
            return
        if command[0] == wanted:
            try:
                url, title, time = _page(command[1:])
            except ValueError as error:
                yield Problem(f"a page is damaged: {error}", Status.FAILED, f"offset={place}")
            else:
                if (url, time) not in told:
                    told.add((url, time))
                    yield PageVisit(url=url, title=title or None, time=time, source=what, locator=f"offset={place}", **owned.labels)
        place += 2 + size


class _Pickle:
    """Values of one pickle in order. Each raises ``ValueError`` at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 4  # after the length of what follows

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes; the one after begins at a multiple of 4."""
        found = self._data[self._place : self._place + size]
        if len(found) != size:
            raise ValueError("cut short")
        self._place += (size + 3) // 4 * 4
        return found

    def number(self, size: int = 4) -> int:
        """The next whole number."""
        return int.from_bytes(self.take(size), "little", signed=size == 8)

    def text(self) -> str:
        """The next text in UTF-8."""
        return self.take(self.number()).decode("utf-8", "backslashreplace")

    def wide_text(self) -> str:
        """The next text in UTF-16."""
        return self.take(self.number() * 2).decode("utf-16-le", "backslashreplace")


def _page(data: bytes) -> tuple[str, str, Time]:
    pickle = _Pickle(data)
    pickle.number()  # number of the tab
    pickle.number()  # place of the page in the tab
    url, title = pickle.text(), pickle.wide_text()
    if not is_address(url):
        raise ValueError("its address is none")
    time: Time = NOT_RECORDED
    try:
        pickle.text()  # state of the page: what forms held; not read
        pickle.number()  # transition
        pickle.number()  # whether it was posted
        pickle.text()  # referrer
        pickle.number()  # referrer policy
        pickle.text()  # address first asked for
        pickle.number()  # whether it asked for a desktop page
        time = from_webkit(pickle.number(8))
    except ValueError:
        pass  # the first versions ended earlier
    return url, title, time


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.sessions",
        title="Chromium browsers: open and recently closed tabs",
        meaning="Pages in the tabs of the last sessions. They may outlive a deleted history.",
        paths=(
            "**/Sessions/Session_*",
            "**/Sessions/Tabs_*",
            "**/Sessions_Encrypted/*",
            "**/Current Session",
            "**/Last Session",
            "**/Current Tabs",
            "**/Last Tabs",
        ),
        parse=parse,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/sessions/core/",),
        validation="specimen of Chrome 64; session file of a profile made by Chromium, every page and time as Hindsight reads it",
    ),
)
