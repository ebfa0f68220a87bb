"""What listing a volume says by itself."""

from __future__ import annotations

from artefacts.coverage import Problem
from triage.evidence.filesystems.folder import FolderFilesystem
from triage.evidence.model import Entry
from triage.scan.noted import Noted


def test_presence() -> None:
    noted = Noted()
    for path, kind in (
        ("/hiberfil.sys", "file"), ("/Windows.old", "directory"), ("/Users/jo/hiberfil.sys", "file"), ("/pagefile.sys", "file"),
        ("/Users/jo/AppData/Local/Microsoft/Terminal Server Client/Cache/Cache0000.bin", "file"), ("/a.log", "file"),
        ("/ProgramData/Microsoft/Windows/Containers/BaseImages/0af3", "directory"),
    ):  # fmt: skip
        noted.see(Entry(path, kind, 4096, "1", modified=1_600_000_000_000_000_000))
    noted.see(Entry("/swapfile.sys", "file", 4096, "2", allocated=False))
    told = [item for item in noted.tell(FolderFilesystem.__new__(FolderFilesystem)) if not isinstance(item, Problem)]
    assert [(entry.path, fact.to_json()["name"]) for entry, fact in told] == [
        ("/hiberfil.sys", "hibernation file is present"), ("/Windows.old", "folder of an earlier Windows is present"), ("/pagefile.sys", "page file is present"),
        ("/Users/jo/AppData/Local/Microsoft/Terminal Server Client/Cache/Cache0000.bin", "remote desktop picture cache is present"),
        ("/ProgramData/Microsoft/Windows/Containers/BaseImages/0af3", "Windows Sandbox or container image is present"),
    ]  # fmt: skip
    assert told[0][1].to_json()["time"] == "2020-09-13T12:26:40Z"


def test_many_of_a_kind_are_counted() -> None:
    noted = Noted()
    for number in range(700):
        noted.see(Entry(f"/Windows/Minidump/{number}.dmp", "file", 1, str(number)))
    told = list(noted.tell(FolderFilesystem.__new__(FolderFilesystem)))
    assert len(told) == 501 and isinstance(told[-1], Problem) and "700" in told[-1].reason


def test_virtual_disks() -> None:
    noted = Noted()
    wsl = "/Users/jo/AppData/Local/Packages/Maker.Linux_x/LocalState/ext4.vhdx"
    for path, size in ((wsl, 1 << 30), ("/VMs/a.VMDK", 1 << 21), ("/VMs/descriptor.vmdk", 400), ("/Users/jo/a.txt", 1 << 21)):
        noted.see(Entry(path, "file", size, "1"))
    told = list(noted.tell(FolderFilesystem.__new__(FolderFilesystem)))
    assert [(item[0].path, item[1].to_json()["name"]) for item in told if not isinstance(item, Problem)] == [
        (wsl, "disk of Linux inside Windows (WSL) is present"), ("/VMs/a.VMDK", "virtual disk is present"),
        ("/VMs/descriptor.vmdk", "virtual disk is present"),
    ]  # fmt: skip
