"""Real file systems made and used for a scene: mkfs on a file, mounted (loop device or FUSE), used by the real tools, unmounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("mkfs.ext4", "mkntfs", "ntfs-3g", "mount", "umount")


def missing() -> str:
    """Why volumes cannot be made here, "" where they can."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "mounting needs root"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return ""


def run(*command: str | Path, check: bool = True, home: Path | None = None) -> str:
    """Run a program; its output. ``home``: what it takes for the user's folder."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **({"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")} if home else {})}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=environment, timeout=300)
    if check and done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-300:]}")
    return done.stdout + done.stderr


@contextmanager
def volume(image: Path, kind: str, size: int = 48 << 20) -> Iterator[Path]:
    """A new file system of ``kind`` (ext4 or ntfs) in the file ``image``, mounted at the path given; whole on leaving."""
    with open(image, "wb") as file:
        file.truncate(size)
    where = Path(tempfile.mkdtemp(prefix="scene-"))
    if kind == "ntfs":
        run("mkntfs", "-F", "-Q", "-q", image)
        run("ntfs-3g", "-o", "streams_interface=windows", image, where)
    else:
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        run("mount", "-o", "loop", image, where)
    try:
        yield where
    finally:
        run("sync")
        run("umount", where)
        where.rmdir()


def with_system_files(image: Path) -> None:
    """Make the folder ``$Extenx`` of an NTFS image its ``$Extend``: no driver lets one write there."""
    data = image.read_bytes()
    real, ours, away = (name.encode("utf-16-le") for name in ("$Extend", "$Extenx", "$Extenq"))
    image.write_bytes(data.replace(real, away).replace(ours, real))
