"""The machine as its registry describes it: name, time zone, version of Windows and when it was installed, last shutdown, settings of record keeping.

Sources: Microsoft, "DYNAMIC_TIME_ZONE_INFORMATION" (biases in minutes, UTC = local + bias); ForensicArtifacts, WindowsComputerName and others.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_filetime, from_unix
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import REFERENCE, SOFTWARE, SYSTEM, Results, filetime_at, read_hive

_VERSIONS = (
    ("ProductName", "Windows edition"), ("DisplayVersion", "Windows release"), ("ReleaseId", "Windows release number"),
    ("CurrentVersion", "Windows version"), ("CurrentBuildNumber", "Windows build"), ("CSDVersion", "Windows service pack"),
    ("RegisteredOwner", "registered owner"), ("RegisteredOrganization", "registered organisation"), ("SystemRoot", "Windows folder"),
)  # fmt: skip
_KEEPING = (
    (r"Control\FileSystem", "NtfsDisableLastAccessUpdate", "last-access times of files (NtfsDisableLastAccessUpdate)"),
    (r"Control\Session Manager\Memory Management", "ClearPageFileAtShutdown", "page file cleared at shutdown (ClearPageFileAtShutdown)"),
    (r"Control\Session Manager\Memory Management\PrefetchParameters", "EnablePrefetcher", "programs run are noted in Prefetch (EnablePrefetcher)"),
    (r"Control\Power", "HibernateEnabled", "hibernation (HibernateEnabled)"),
)  # fmt: skip


def parse_system(file: EvidenceFile) -> Results:
    """``SystemFact``s from a SYSTEM hive, of the set of settings in use."""
    return read_hive(file, _system)


def parse_software(file: EvidenceFile) -> Results:
    """``SystemFact``s from a SOFTWARE hive."""
    return read_hive(file, _software)


def _fact(name: str, value: object, key: Key, value_name: str, time: Time = NOT_RECORDED) -> SystemFact:
    return SystemFact(name=name, value=str(value), time=time, locator=f"{key.locator} value={value_name}")


def _texts(key: Key | None, wanted: tuple[tuple[str, str], ...]) -> Iterator[Observation]:
    for value_name, name in wanted if key else ():
        if key and (text := key.text(value_name)):
            yield _fact(name, text, key, value_name)


def _system(hive: Hive) -> Iterator[Observation]:
    settings = hive.control_set()
    if settings is None:
        if hive.root is not None:
            hive.report("the set of settings in use (Select\\Current) is not there", "key=Select")
        return
    yield from _texts(settings.find(r"Control\ComputerName\ComputerName"), (("ComputerName", "computer name"),))
    network = settings.find(r"Services\Tcpip\Parameters")
    yield from _texts(network, (("Hostname", "host name"), ("NV Hostname", "host name kept"), ("Domain", "domain")))
    interfaces = network.find("Interfaces") if network else None
    for interface in interfaces.subkeys() if interfaces else ():
        yield from _addresses(interface)
    zone = settings.find(r"Control\TimeZoneInformation")
    if zone:
        yield from _texts(zone, (("TimeZoneKeyName", "time zone"), ("StandardName", "time zone, standard name")))
        bias = zone.number("ActiveTimeBias")
        if bias is not None:
            minutes = -(bias - (1 << 32) if bias >> 31 else bias)
            sign = "-" if minutes < 0 else "+"
            offset = f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
            yield _fact("time zone offset when last set", offset, zone, "ActiveTimeBias", zone.written)
    windows = settings.find(r"Control\Windows")
    stopped = filetime_at(windows.binary("ShutdownTime")) if windows else NOT_RECORDED
    if windows and stopped != NOT_RECORDED:
        yield _fact("last shutdown", "Windows was shut down in good order", windows, "ShutdownTime", stopped)
    for path, value_name, name in _KEEPING:
        key = settings.find(path)
        number = key.number(value_name) if key else None
        if key and number is not None:
            yield _fact(name, number, key, value_name)


def _addresses(interface: Key) -> Iterator[Observation]:
    for value_name, name, leased in (("DhcpIPAddress", "IP address (DHCP)", True), ("IPAddress", "IP address (fixed)", False),
                                     ("DhcpServer", "DHCP server", True), ("DhcpDomain", "DHCP domain", True)):  # fmt: skip
        value = interface.value(value_name)
        if value is None:
            continue
        obtained = from_unix(interface.number("LeaseObtainedTime") or 0) if leased else NOT_RECORDED
        for text in value.strings or [value.text or ""]:
            if text and text not in ("0.0.0.0", "255.255.255.255"):
                yield _fact(name, text, interface, value_name, obtained)


def _software(hive: Hive) -> Iterator[Observation]:
    key = hive.key(r"Microsoft\Windows NT\CurrentVersion")
    if key is None:
        return
    yield from _texts(key, _VERSIONS)
    installed = key.number("InstallDate")
    if installed:
        yield _fact("Windows installed", "installed, or last upgraded in place", key, "InstallDate", from_unix(installed))
    precise = key.number("InstallTime")
    if precise:
        yield _fact("Windows installed (exact)", "installed, or last upgraded in place", key, "InstallTime", from_filetime(precise))


ARTEFACTS = (
    Artefact(
        id="windows.registry.system",
        title="Windows registry: the machine",
        meaning="The machine's name, time zone, addresses and last shutdown, and whether records such as access times are kept.",
        paths=SYSTEM,
        parse=parse_system,
        references=(REFERENCE, "https://learn.microsoft.com/windows/win32/api/timezoneapi/ns-timezoneapi-dynamic_time_zone_information"),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
    Artefact(
        id="windows.registry.version",
        title="Windows registry: version of Windows",
        meaning="Which Windows it is, for whom it is registered, and when it was installed.",
        paths=SOFTWARE,
        parse=parse_software,
        references=(REFERENCE,),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
