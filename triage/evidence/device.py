"""Physical disks and volumes of the running computer, opened read-only: ``/dev/sda``, ``/dev/rdisk2``, ``\\\\.\\PhysicalDrive1``, ``\\\\.\\E:``."""

from __future__ import annotations

import os
import stat
import struct
import sys
import threading
from pathlib import Path

from triage.evidence.bytesource import SECTOR, RetryingBytes
from triage.evidence.images.image import Image

# Linux <linux/fs.h>
_BLKSSZGET, _BLKGETSIZE64 = 0x1268, 0x80081272
# macOS <sys/disk.h>
_DKIOCGETBLOCKSIZE, _DKIOCGETBLOCKCOUNT = 0x40046418, 0x40086419
# Windows winioctl.h
_IOCTL_DISK_GET_LENGTH_INFO, _IOCTL_DISK_GET_DRIVE_GEOMETRY = 0x7405C, 0x70000


def is_device(path: str) -> bool:
    """True for a block device, a character device with a disk behind it, or a path in the Windows device name space."""
    if path.startswith(("\\\\.\\", "//./")):
        return True
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and sys.platform == "darwin")


class DeviceBytes(RetryingBytes):
    """The bytes of a device. Reads are widened to whole sectors, which raw devices of Windows and macOS insist on.

    Raises ``OSError`` where it cannot be opened or does not tell its size.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        self._closed = False
        self._position = threading.Lock()
        try:
            size, sector = _asked(self._file)
        except (OSError, ValueError) as error:
            os.close(self._file)
            raise OSError(f"{path} does not tell its size: {error}") from error
        super().__init__(size, sector)
        if sys.platform == "linux":
            self.plain_path = path

    @property
    def sector(self) -> int:
        """The logical sector size in bytes."""
        return self._sector

    def _read(self, offset: int, length: int) -> bytes:
        start = offset // self._sector * self._sector
        end = -(-(offset + length) // self._sector) * self._sector
        pieces = []
        with self._position:
            os.lseek(self._file, start, os.SEEK_SET)
            while start < end:
                piece = os.read(self._file, end - start)
                if not piece:
                    break
                pieces.append(piece)
                start += len(piece)
        first = offset % self._sector
        return b"".join(pieces)[first : first + length]

    def close(self) -> None:
        """Close the device. Safe to call twice."""
        if not self._closed:
            self._closed = True
            os.close(self._file)


def _asked(file: int) -> tuple[int, int]:
    try:
        return _geometry(file)
    except OSError:
        # Some drivers of mounted images (and Wine) do not answer the question but know where the end is.
        end = os.lseek(file, 0, os.SEEK_END) if sys.platform == "win32" else 0
        if end <= 0:
            raise
        return end, SECTOR


def _geometry(file: int) -> tuple[int, int]:
    """(size in bytes, logical sector size) of an open device."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        handle = msvcrt.get_osfhandle(file)

        def ask(code: int, length: int) -> bytes:
            buffer, returned = ctypes.create_string_buffer(length), ctypes.c_uint32()
            control = ctypes.windll.kernel32.DeviceIoControl
            if not control(ctypes.c_void_p(handle), code, None, 0, buffer, length, ctypes.byref(returned), None):
                raise ctypes.WinError()
            return buffer.raw

        sector = struct.unpack_from("<I", ask(_IOCTL_DISK_GET_DRIVE_GEOMETRY, 24), 20)[0]
        return struct.unpack("<q", ask(_IOCTL_DISK_GET_LENGTH_INFO, 8))[0], sector or SECTOR

    import fcntl

    if sys.platform == "darwin":
        sector = struct.unpack("I", fcntl.ioctl(file, _DKIOCGETBLOCKSIZE, bytes(4)))[0]
        return struct.unpack("Q", fcntl.ioctl(file, _DKIOCGETBLOCKCOUNT, bytes(8)))[0] * sector, sector
    sector = struct.unpack("I", fcntl.ioctl(file, _BLKSSZGET, bytes(4)))[0]
    return struct.unpack("Q", fcntl.ioctl(file, _BLKGETSIZE64, bytes(8)))[0], sector


def open_device(path: str) -> Image:
    """A device as an image of kind ``device``. Raises ``OSError`` where it cannot be opened."""
    data = DeviceBytes(path)
    return Image("device", data, [path], {"sector size": str(data.sector)}, sector=data.sector)
