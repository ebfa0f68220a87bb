"""Programs that start by themselves: Run keys, what is started at sign-in (Winlogon), services and drivers.

Source: Microsoft, "Run and RunOnce Registry Keys" and "CreateServiceW" (service types and starts).
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import Observation, StartupItem
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import NTUSER, SOFTWARE, SYSTEM, Results, read_hive

_ENDINGS = ("Run", "RunOnce", "RunOnceEx", "RunServices", "RunServicesOnce", r"Policies\Explorer\Run")
_BEFORE = ("", "Software\\", "Wow6432Node\\", "Software\\Wow6432Node\\")
_STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "on demand", 4: "disabled"}
_DRIVERS = 0x0B  # kernel, file system, recogniser


def parse_run(file: EvidenceFile) -> Results:
    """``StartupItem`` for each value of a Run key and of Winlogon, from a SOFTWARE or NTUSER hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        for before in _BEFORE:
            for ending in _ENDINGS:
                key = hive.key(rf"{before}Microsoft\Windows\CurrentVersion\{ending}")
                for place in (key, *key.subkeys()) if key else ():
                    yield from _run(place, ending, file.user)
            winlogon = hive.key(rf"{before}Microsoft\Windows NT\CurrentVersion\Winlogon")
            for name in ("Shell", "Userinit") if winlogon else ():
                command = winlogon.text(name) if winlogon else None
                if winlogon and command:
                    locator = f"{winlogon.locator} value={name}"
                    yield StartupItem(
                        name=name,
                        command=command,
                        start="at sign-in",
                        how="Winlogon",
                        user=file.user,
                        written=winlogon.written,
                        locator=locator,
                    )

    return read_hive(file, read)


def parse_services(file: EvidenceFile) -> Results:
    """``StartupItem`` for each service and driver of the set of settings in use, from a SYSTEM hive; ``command`` is its DLL where it has one."""
    return read_hive(file, _services)


def _run(key: Key, ending: str, user: str | None) -> Iterator[Observation]:
    for value in key.values():
        if value.text:
            yield StartupItem(
                name=value.name or "(default)",
                command=value.text,
                start="once, at the next sign-in" if "Once" in ending else "at sign-in",
                how=f"{ending} key",
                user=user,
                written=key.written,
                locator=value.locator,
            )


def _services(hive: Hive) -> Iterator[Observation]:
    settings = hive.control_set()
    services = settings.subkey("Services") if settings else None
    for key in services.subkeys() if services else ():
        kind, start = key.number("Type"), key.number("Start")
        if kind is None or start is None:
            continue  # settings of a service, not one
        parameters = key.subkey("Parameters")
        library = parameters.text("ServiceDll") if parameters else None
        yield StartupItem(
            name=key.name,
            command=library or key.text("ImagePath"),
            start=_STARTS.get(start, f"start {start}"),
            how="driver" if kind & _DRIVERS else "service",
            written=key.written,
            locator=key.locator,
        )


ARTEFACTS = (
    Artefact(
        id="windows.registry.run",
        title="Windows registry: programs started at sign-in",
        meaning="Programs that start whenever the machine or the user does, with nobody asking.",
        paths=(*SOFTWARE, *NTUSER),
        parse=parse_run,
        references=("https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
    Artefact(
        id="windows.registry.services",
        title="Windows registry: services and drivers",
        meaning="Services and drivers installed, such as those of VPNs, encryption and virtual machines, and how each starts.",
        paths=SYSTEM,
        parse=parse_services,
        references=("https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
