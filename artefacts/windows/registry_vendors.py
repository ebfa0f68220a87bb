r"""Keys that programs keep under ``Software\VENDOR\PRODUCT``, of the machine and of each user: most stay when the program is removed.

Names and dates only: what programs store there may be anything. Keys of Windows itself are left out. Source: Microsoft, "Registry Hives" and
"32-bit and 64-bit Application Data in the Registry" (Wow6432Node).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation, RegistryTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.hive import Hive
from artefacts.windows.hive.hive import Key
from artefacts.windows.hive.reading import NTUSER, SOFTWARE, Results, read_hive

_MOST = 5_000
_OF_WINDOWS = frozenset((
    "classes", "clients", "microsoft", "policies", "registeredapplications", "wow6432node", "openssh", "windows", "dinput", "defaultuserenvironment",
    "setup", "virtualdeviceconfig", "odbc", "appdatalow", "windowsselfhost",
))  # fmt: skip
_PREFIX = "Software"
_LEADING = re.compile(r"^(?:software\\)?(?:wow6432node\\)?", re.IGNORECASE)


def parse(file: EvidenceFile) -> Results:
    """``RegistryTrace`` for each product's key, or for the vendor's where it holds none; ``user`` is whose hive it is."""

    def read(hive: Hive) -> Iterator[Observation]:
        # In the machine's hive the root itself is what users have as the key Software.
        own = hive.key(_PREFIX) if file.name.lower() != "software" and not file.name.lower().endswith("_software") else hive.root
        places = [own, own.subkey("Wow6432Node")] if own is not None else []
        for place in places:
            for vendor in place.subkeys() if place is not None else ():
                if vendor.name.lower() not in _OF_WINDOWS:
                    yield from _below(vendor, file)

    for count, found in enumerate(read_hive(file, read)):
        if count >= _MOST:
            yield Problem(f"more than {_MOST} keys of programs: the rest is not listed", Status.FAILED)
            return
        yield found


def _below(vendor: Key, file: EvidenceFile) -> Iterator[Observation]:
    for key in list(vendor.subkeys()) or [vendor]:
        # As the program itself sees it: Windows puts Wow6432Node into the path of a 32-bit program's key.
        path = f"{_PREFIX}\\{_LEADING.sub('', key.path)}"
        yield RegistryTrace(key=path, written=key.written, user=file.user, locator=key.locator)


ARTEFACTS = (
    Artefact(
        id="windows.registry.vendors",
        title="Windows registry: keys of programs",
        meaning="Which programs have kept settings on this machine or for this user; such keys often stay when a program is removed.",
        paths=(*SOFTWARE, *NTUSER),
        parse=parse,
        references=("https://learn.microsoft.com/windows/win32/sysinfo/32-bit-and-64-bit-application-data-in-the-registry",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
