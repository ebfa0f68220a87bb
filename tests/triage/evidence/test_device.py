"""Block devices: a loop device stands for a disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triage.evidence.device import DeviceBytes, is_device
from triage.evidence.sources import check_source, open_source


@pytest.fixture
def loop_device(tmp_path: Path, run_tool: Callable[..., str], mixed_media: bytes) -> Iterator[str]:
    (tmp_path / "media").write_bytes(mixed_media)
    done = subprocess.run(["losetup", "--read-only", "--find", "--show", tmp_path / "media"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no loop devices here: {done.stderr.strip()}")
    device = done.stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=False)


@pytest.mark.tools
def test_a_disk(loop_device: str, mixed_media: bytes) -> None:
    assert check_source(loop_device)
    source = open_source(loop_device)
    assert (source.kind, source.size, list(source.files)) == ("device", len(mixed_media), [loop_device])
    assert source.facts["sector size"] == "512"
    assert source.bytes is not None
    assert source.bytes.read_at(0, len(mixed_media)) == mixed_media
    assert source.bytes.read_at(1000, 3000) == mixed_media[1000:4000]
    assert source.bytes.read_at(len(mixed_media) - 5, 100) == mixed_media[-5:]
    assert source.bytes.errors == []
    source.close()
    source.close()


def test_windows_names_are_devices_everywhere() -> None:
    assert is_device("\\\\.\\PhysicalDrive0")
    assert is_device("//./C:")
    assert not is_device("/nowhere/at/all")


def test_reads_are_widened_to_sectors(tmp_path: Path, mixed_media: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "media").write_bytes(mixed_media)
    monkeypatch.setattr("triage.evidence.device._geometry", lambda file: (os.fstat(file).st_size, 4096))
    asked = []
    read, seek = os.read, os.lseek
    monkeypatch.setattr(os, "lseek", lambda file, offset, whence: asked.append(offset) or seek(file, offset, whence))
    monkeypatch.setattr(os, "read", lambda file, length: asked.append(length) or read(file, length))
    data = DeviceBytes(str(tmp_path / "media"))
    assert data.read_at(5000, 100) == mixed_media[5000:5100]
    assert data.read_at(8191, 2) == mixed_media[8191:8193]
    assert asked == [4096, 4096, 4096, 8192]
    data.close()


def test_a_thing_without_a_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media").write_bytes(b"x")
    with pytest.raises(OSError, match="does not tell its size"):
        DeviceBytes(str(tmp_path / "media"))
