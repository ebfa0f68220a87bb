"""Opening sources: what is refused and how, what is told of them, and that nothing of them changes."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.bytesource import FileBytes
from triage.evidence.model import Source
from triage.evidence.sources import Secret, check_source, open_source

Unpack = Callable[[str], Path]
SECRETS = [Secret("password", "apfs-TEST"), Secret("password", "luksde-TEST")]


def names(source: Source, volume_id: str = "v1") -> dict[str, str]:
    """MD5 of every allocated file of a volume by path."""
    volume = next(volume for volume in source.volumes() if volume.id == volume_id)
    filesystem = source.filesystem(volume)
    found = {}
    for batch in filesystem.entries():
        for entry in batch:
            if entry.kind == "file" and entry.allocated and "virtual" not in entry.flags and "$" not in entry.path:
                with filesystem.open(entry) as stream:
                    found[entry.path] = hashlib.md5(stream.read()).hexdigest()
    filesystem.close()
    return found


TREE = {
    "/passwords.txt": "39cb097008d17660abd0539891a672af",
    "/a_directory/a_file": "85bebf486af24792085f769afa46717d",
    "/a_directory/another_file": "d54ff73404ed6041a3bd66850b061bff",
}


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("path", "kind", "volume"),
    [
        ("images/dfvfs/ext2.raw.xz", "raw", "v1"),
        ("images/dfvfs/ext2.E01", "ewf", "v1"),
        ("images/dfvfs/ext2.qcow2", "qcow", "v1"),
        ("images/dfvfs/ext2.vhd.xz", "vhd", "v1"),
        ("images/dfvfs/ext2.vmdk", "vmdk", "v1"),
        ("images/dfvfs/hfsplus_zlib.dmg", "udif", "v1"),
        ("images/dfvfs/apm.dmg.xz", "raw", "v2"),
        ("images/plaso/image.E01", "ewf", "v1"),
        ("images/plaso/image.qcow2", "qcow", "v1"),
        ("images/plaso/image.vhd.xz", "vhd", "v1"),
        ("images/sleuthkit/image.qcow", "qcow", "v1"),
        ("images/sleuthkit/image.dd", "raw", "v1"),
        ("images/dfvfs-encrypted-and-vss/luks1.raw.xz", "raw", "v1"),
        ("images/dfvfs-encrypted-and-vss/lvm.raw.xz", "raw", "v1.1"),
        ("images/dfvfs-encrypted-and-vss/apfs_encrypted.dmg.xz", "raw", "v1.1"),
    ],
)
def test_the_same_tree_in_every_container(unpacked: Unpack, path: str, kind: str, volume: str) -> None:
    file = unpacked(path)
    before = (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).digest())
    source = open_source(file, secrets=SECRETS)
    found = names(source, volume)
    assert {name: found.get(name) for name in TREE} == TREE
    assert (source.kind, source.problems) == (kind, [])
    assert all(not item.problems for item in source.volumes())
    source.close()
    source.close()
    assert before == (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).digest())


def test_a_missing_source() -> None:
    for use in (check_source, open_source):
        with pytest.raises(FileNotFoundError) as caught:
            use("/nowhere/disk.E01")
        assert str(caught.value) == "there is no /nowhere/disk.E01"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_forbidden_source(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(PermissionError, match="administrator rights"):
        open_source(path)


def test_a_forbidden_source_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk.raw").write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match=r"disk\.raw may not be read by this user"):
        open_source(tmp_path / "disk.raw")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such thing here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="neither a folder, a file nor a disk"):
        open_source(tmp_path / "pipe")


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(OSError, match="link"):
        open_source(tmp_path / "link")


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert not check_source(tmp_path)
    source = open_source(tmp_path)
    (volume,) = source.volumes()
    assert (source.kind, source.size, source.bytes, list(source.files)) == ("folder", None, None, [])
    assert (volume.id, volume.scheme, volume.filesystem, volume.status) == ("v1", "folder", "folder", Status.PARSED)
    assert source.path == str(tmp_path)
    assert names(source) == {"/a.txt": hashlib.md5(b"hello").hexdigest()}
    with pytest.raises(OSError, match="no bytes"):
        source.volume_bytes(volume)
    assert open_source(tmp_path, live=True).kind == "live"
    source.close()


def test_an_archive_is_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "case.dd"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("disk.dd", "x" * 1000)
    (volume,) = open_source(path).volumes()
    assert (volume.status, volume.reason) == (Status.UNRECOGNISED, "this is a ZIP archive; unpack it first")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "disk.raw").touch()
    (volume,) = open_source(tmp_path / "disk.raw").volumes()
    assert (volume.status, volume.reason) == (Status.EMPTY, "the source holds no bytes")


def test_a_container_beyond_opening(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    path.write_bytes(b"vhdxfile" + bytes(1000))
    source = open_source(path)
    (volume,) = source.volumes()
    assert (source.kind, source.size, source.bytes) == ("vhdx", None, None)
    assert volume.status is Status.UNREADABLE
    assert "damaged" in volume.reason
    assert [problem.reason for problem in source.problems] == [volume.reason]
    for use in (source.filesystem, source.volume_bytes):
        with pytest.raises(OSError, match="damaged"):
            use(volume)
    source.close()


def test_a_volume_without_a_file_system_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "disk.raw").write_bytes(bytes(1 << 20))
    source = open_source(tmp_path / "disk.raw")
    (volume,) = source.volumes()
    assert volume.status is Status.EMPTY
    with pytest.raises(OSError, match=r"nothing but zeros in the 256 samples read"):
        source.filesystem(volume)
    assert source.volume_bytes(volume).size == 1 << 20


def test_opening_reads_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "disk.raw"
    with path.open("wb") as disk:
        disk.truncate(1 << 40)
    asked: list[int] = []
    read = FileBytes._read

    def counted(self: FileBytes, offset: int, length: int) -> bytes:
        asked.append(length)
        return read(self, offset, length)

    monkeypatch.setattr(FileBytes, "_read", counted)
    (volume,) = open_source(path).volumes()
    assert volume.status is Status.EMPTY
    assert sum(asked) < 8 << 20


def test_the_package_is_light() -> None:
    code = "import sys, triage.evidence.sources; print([name for name in ('pytsk3', 'pyewf', 'numpy', 'cryptography', 'pyfsapfs') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def statuses(source: Source) -> Sequence[str]:
    return [str(volume.status) for volume in source.volumes()]


@pytest.mark.specimens
@pytest.mark.parametrize(
    "path",
    [
        "images/dfvfs/mbr.raw.xz",
        "images/dfvfs/apm.dmg.xz",
        "images/plaso/apfs.dmg.xz",
        "images/dfvfs-encrypted-and-vss/lvm.raw.xz",
        "images/dissect-volume/disk/bsd64.bin.gz",
        "images/dfvfs/ext2.E01",
        "images/dfvfs/hfsplus_zlib.dmg",
    ],
)
def test_damaged_specimens_end_in_statuses(unpacked: Unpack, tmp_path: Path, path: str) -> None:
    good = unpacked(path).read_bytes()
    dice = random.Random(path)
    copy = tmp_path / unpacked(path).name
    for turn in range(12):
        content = bytearray(good)
        if turn % 3 == 0:
            del content[dice.randrange(1, len(content)) :]
        for _ in range(dice.randint(1, 40)):
            content[dice.randrange(min(len(content), dice.choice((1024, 40960, 1 << 22))))] = dice.randrange(256)
        copy.write_bytes(content)
        source = open_source(copy, secrets=SECRETS[:1])
        assert statuses(source)
        for volume in source.volumes():
            assert volume.status is Status.PARSED or volume.reason
        source.close()
