"""The drives of a computer, from a system that the test writes: sysfs, udev, mounts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from triage.visit.drives import Drive, drives
from triage.visit.screens.what import told


class System:
    """Files of a Linux system below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/block", "sys/class/block", "sys/devices", "run/udev/data", "dev", "proc/self"):
            (root / folder).mkdir(parents=True)
        self._mounts = ""

    def disk(
        self, name: str, gigabytes: int, *, place: str = "pci0/ata1", model: str = "", readable: bool = True, removable: str = "0"
    ) -> Path:
        folder = self.root / "sys/devices" / place / name
        (folder / "device").mkdir(parents=True)
        (folder / "size").write_text(f"{gigabytes * 1_000_000_000 // 512}\n")
        (folder / "removable").write_text(f"{removable}\n")
        (folder / "device/model").write_text(f"{model}   \n")
        for link in ("sys/block", "sys/class/block"):
            (self.root / link / name).symlink_to(folder)
        if readable:
            (self.root / "dev" / name).write_bytes(bytes(4096))
        return folder

    def part(self, disk: Path, number: int, **facts: str) -> Path:
        folder = disk / f"{disk.name}{number}"
        folder.mkdir()
        (folder / "partition").write_text(f"{number}\n")
        (folder / "holders").mkdir()
        device = f"8:{len(list((self.root / 'run/udev/data').iterdir()))}"
        (folder / "dev").write_text(f"{device}\n")
        (self.root / "run/udev/data" / f"b{device}").write_text("S:disk\n" + "".join(f"E:{key}={value}\n" for key, value in facts.items()))
        (self.root / "sys/class/block" / folder.name).symlink_to(folder)
        return folder

    def mount(self, device: str, where: str) -> None:
        self._mounts += f"{device} {where} ext4 rw 0 0\n"
        (self.root / "proc/self/mounts").write_text(self._mounts)

    def list(self, *keep: Path) -> list[Drive]:
        return drives(keep, system="Linux", root=self.root)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_what_an_officer_sees(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    own = system.disk("nvme0n1", 512, model="Demo SSD")
    system.part(own, 1, ID_FS_TYPE="vfat", ID_FS_LABEL="EFI")
    system.part(own, 2, ID_FS_TYPE="ext4")
    system.mount("/dev/nvme0n12", "/")
    stick = system.disk("sdb", 16, place="pci0/usb2/2-1", model="Flash", removable="1")
    system.part(stick, 1, ID_FS_TYPE="exfat", ID_FS_LABEL="HOLIDAY")
    locked = system.disk("sdc", 1000, model="Big")
    system.part(locked, 1, ID_FS_TYPE="BitLocker")
    system.disk("mmcblk0", 32, model="SD")
    system.disk("loop0", 1)
    system.disk("sr0", 0)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).exists())
    found = {drive.path.rpartition("/")[2]: drive for drive in system.list()}
    assert list(found) == ["nvme0n1", "mmcblk0", "sdb", "sdc"]
    assert found["nvme0n1"] == Drive(str(system.root / "dev/nvme0n1"), "Demo SSD", 512_000_000_000 // 512 * 512, "own", ("EFI",), ("none",))
    assert told(found["nvme0n1"]) == ("Demo SSD, 512 GB", 'this computer\'s own disk; "EFI"; not encrypted as far as can be seen')
    assert told(found["sdb"]) == ("Flash, 16.0 GB", 'USB stick or drive; "HOLIDAY"; not encrypted as far as can be seen')
    assert told(found["sdc"]) == ("Big, 1.0 TB", "a disk inside this computer; locked with BitLocker")
    assert found["mmcblk0"].word == "card" and found["mmcblk0"].locks == ("unknown",)  # it does not say, and a file is no device to ask


def test_an_open_luks_drive_and_the_disk_below_it(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = system.disk("sda", 256, model="Demo")
    part = system.part(disk, 1, ID_FS_TYPE="crypto_LUKS")
    opened = system.disk("dm-0", 255, place="virtual")
    (opened / "dm").mkdir()
    (opened / "dm/uuid").write_text("CRYPT-LUKS2-0-root\n")
    (opened / "dm/name").write_text("cryptroot\n")
    (opened / "slaves").mkdir()
    (opened / "slaves/sda1").symlink_to(part)
    (part / "holders/dm-0").symlink_to(opened)
    (system.root / "dev/mapper").mkdir()
    (system.root / "dev/mapper/cryptroot").symlink_to("../dm-0")
    system.mount("/dev/mapper/cryptroot", "/")
    found = {drive.path.rpartition("/")[2]: drive for drive in system.list()}
    assert found["sda"].word == "own" and found["sda"].locks == ("open",)
    assert found["dm-0"].word == "opened" and found["dm-0"].locks == ("open",) and found["dm-0"].name == "cryptroot"


def test_the_drive_that_takes_the_results_is_refused(system: System, tmp_path: Path) -> None:
    number = tmp_path.stat().st_dev
    stick = system.disk("sdb", 16, place="pci0/usb2/2-1", model="Flash")
    part = system.part(stick, 1, ID_FS_TYPE="vfat")
    links = system.root / "sys/dev/block"
    links.mkdir(parents=True)
    (links / f"{os.major(number)}:{os.minor(number)}").symlink_to(part)
    (drive,) = system.list(tmp_path / "cases" / "not made yet")
    assert drive.refused == "stick"
    assert system.list(Path("/nonexistent/elsewhere"))[0].refused in (None, "stick")


def test_without_the_right_to_read_a_drive_its_folder_is_offered(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sda", "sdb"):
        disk = system.disk(name, 1, model=name, readable=False)
        system.part(disk, 1, ID_FS_TYPE="ext4")
    system.mount("/dev/sda1", "/media/a\\040b")
    found = {drive.name: drive for drive in system.list()}
    assert (found["sda"].path, found["sda"].refused) == ("/media/a b", None)
    assert found["sdb"].refused == "rights"


def test_hostile_names_and_a_system_that_says_nothing(system: System, tmp_path: Path) -> None:
    disk = system.disk("sda", 1, model="a\x1b[2J\u202eb")
    system.part(disk, 1, ID_FS_TYPE="ext4", ID_FS_LABEL="x\x07y\u202e" * 50)
    (disk / "size").write_text("not a number")
    system.disk("sdb", 1, model="b\x1b]0;x")
    for drive in system.list():
        for text in told(drive):
            assert "\x1b" not in text and "\u202e" not in text
    assert [drive.path.rpartition("/")[2] for drive in system.list()] == ["sdb"]
    assert drives(system="Linux", root=tmp_path / "nothing") == []
    assert isinstance(drives(system="Windows"), list) and isinstance(drives(), list)
