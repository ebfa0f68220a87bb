"""A folder as a file system."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.filesystems import folder
from triage.evidence.filesystems.folder import FolderFilesystem
from triage.evidence.model import Entry

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and modes as POSIX has them")


def listed(filesystem: FolderFilesystem) -> dict[str, Entry]:
    entries = [entry for batch in filesystem.entries() for entry in batch]
    assert len({entry.path for entry in entries}) == len(entries)
    return {entry.path: entry for entry in entries}


def test_entries_times_and_content(tmp_path: Path) -> None:
    (tmp_path / "b" / "ünï").mkdir(parents=True)
    (tmp_path / "b" / "ünï" / "file.txt").write_bytes(b"content" * 100_000)
    (tmp_path / "a").touch()
    os.utime(tmp_path / "a", ns=(1_600_000_000_123_456_700, 1_500_000_000_123_456_700))
    filesystem = FolderFilesystem(tmp_path)
    entries = listed(filesystem)
    assert list(entries) == ["/a", "/b", "/b/ünï", "/b/ünï/file.txt"]
    assert (filesystem.type, filesystem.label, filesystem.problems) == ("folder", None, [])
    a = entries["/a"]
    assert (a.accessed, a.modified, a.local_times, a.address) == (1_600_000_000_123_456_700, 1_500_000_000_123_456_700, False, "a")
    stream = filesystem.open(entries["/b/ünï/file.txt"])
    stream.seek(-7, 2)
    assert stream.read() == b"content"
    stream.seek(0)
    assert stream.read() == b"content" * 100_000
    assert stream.read_errors == []  # type: ignore[attr-defined]
    stream.close()
    assert filesystem.lookup("/b/ünï/file.txt") == entries["/b/ünï/file.txt"]
    assert [e.name for e in filesystem.children("/")] == ["a", "b"]
    assert filesystem.children("/a") == filesystem.children("/none") == []
    assert filesystem.lookup("/b/../a") is filesystem.lookup("/") is filesystem.lookup("/x\0") is None


@posix
def test_never_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "circle").symlink_to(root)
    filesystem = FolderFilesystem(root)
    entries = listed(filesystem)
    assert {path: (e.kind, e.link_target) for path, e in entries.items()} == {
        "/link": ("link", str(outside)),
        "/circle": ("link", str(root)),
    }
    assert filesystem.lookup("/link/secret") is None
    assert filesystem.children("/link") == []
    with pytest.raises(OSError, match="is not a file"):
        filesystem.open(entries["/link"])


@posix
def test_what_is_not_a_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        filesystem = FolderFilesystem(tmp_path)
        entries = listed(filesystem)
    assert {path: e.kind for path, e in entries.items()} == {"/pipe": "other", "/socket": "other"}
    for entry in entries.values():
        with pytest.raises(OSError, match="is not a file"):
            filesystem.open(entry)
    # Somebody puts a pipe in the place of a file that was listed.
    with pytest.raises(OSError, match="is not a file any more"):
        filesystem.open(Entry("/pipe", "file", 10, "pipe"))


@posix
def test_hard_links_and_names_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_bytes(b"y")
    filesystem = FolderFilesystem(tmp_path)
    entries = listed(filesystem)
    assert entries["/one"].address == entries["/two"].address
    strange = entries[os.fsdecode(b"/\xff.txt")]
    assert filesystem.open(strange).read() == b"y"


@posix
def test_unreadable_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").mkdir()
    real = folder._open

    def refuse(path: str, *rest: object) -> int:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(folder, "_open", refuse)
    filesystem = FolderFilesystem(tmp_path)
    assert list(listed(filesystem)) == ["/closed", "/open"]
    (problem,) = filesystem.problems
    assert (problem.locator, problem.status) == ("/closed", Status.UNREADABLE)
    assert "Permission denied" in problem.reason


@posix
def test_bad_sectors_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x" * 50_000)
    real = os.pread

    def broken(descriptor: int, length: int, offset: int) -> bytes:
        if offset < 10_000 < offset + length:
            raise OSError(5, "Input/output error")
        return real(descriptor, length, offset)

    filesystem = FolderFilesystem(tmp_path)
    (entry,) = listed(filesystem).values()
    monkeypatch.setattr(os, "pread", broken)
    stream = filesystem.open(entry)
    assert stream.read() == b"x" * 8192 + bytes(4096) + b"x" * (50_000 - 12_288)
    assert [(e.offset, e.length) for e in stream.read_errors] == [(8192, 4096)]  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="this system has no O_NOATIME")
def test_access_times_are_spared(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "file").write_bytes(b"x")
    for path in (tmp_path / "dir" / "file", tmp_path / "dir"):
        os.utime(path, ns=(10**18, 10**18))
    filesystem = FolderFilesystem(tmp_path)
    filesystem.open(listed(filesystem)["/dir/file"]).read()
    assert filesystem.noatime is True
    assert [path.stat().st_atime_ns for path in (tmp_path / "dir", tmp_path / "dir" / "file")] == [10**18, 10**18]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder with another file system mounted in it; skipped where that is not allowed."""
    if sys.platform != "linux":
        pytest.skip("mounts as Linux makes them")
    inside = tmp_path / "inside"
    inside.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "none", str(inside)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("mount is not installed")
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    (inside / "file").touch()
    yield tmp_path
    subprocess.run(["umount", str(inside)], check=True)


@pytest.mark.tools
def test_another_file_system_is_named_and_not_entered(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem = FolderFilesystem(mounted)
    assert list(listed(filesystem)) == ["/inside"]
    (problem,) = filesystem.problems
    assert (problem.locator, problem.status) == ("/inside", Status.SKIPPED)
    assert "another file system (tmpfs) is mounted here" in problem.reason
    assert list(listed(FolderFilesystem(mounted, also=[mounted / "inside"]))) == ["/inside", "/inside/file"]
    monkeypatch.setattr(folder, "_mounts", lambda: {str(mounted / "inside"): "cifs"})
    share = FolderFilesystem(mounted)
    assert list(listed(share)) == ["/inside"]
    assert "a network share (cifs)" in share.problems[0].reason


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderFilesystem(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        FolderFilesystem(tmp_path / "file")


def test_what_lies_in_a_cloud_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    filesystem = FolderFilesystem(tmp_path)
    entry = listed(filesystem)["/file"]
    entry.flags = ("offline",)
    with pytest.raises(OSError, match="would download it"):
        filesystem.open(entry)
