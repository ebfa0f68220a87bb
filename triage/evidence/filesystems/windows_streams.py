"""Alternate data streams of a file on a running Windows system, by FindFirstStreamW (Windows API, fileapi.h)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

MAX_STREAMS = 10_000
_ERROR_HANDLE_EOF = 38
_MAIN = "::$DATA"


class _StreamData(ctypes.Structure):
    """WIN32_FIND_STREAM_DATA."""

    _fields_ = (("size", ctypes.c_longlong), ("name", ctypes.c_wchar * (260 + 36)))


def streams(path: str) -> list[tuple[str, int]]:
    """Name and size in bytes of each named stream of ``path``. Raises ``OSError``; a file system without streams has none."""
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.FindFirstStreamW.restype = ctypes.c_void_p
    kernel.FindFirstStreamW.argtypes = (ctypes.c_wchar_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)
    kernel.FindNextStreamW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    kernel.FindClose.argtypes = (ctypes.c_void_p,)
    return list(_named(_walk(kernel, path)))


def _walk(kernel: Any, path: str) -> Iterator[tuple[str, int]]:
    found = _StreamData()
    handle = kernel.FindFirstStreamW(path, 0, ctypes.byref(found), 0)
    if handle in (None, ctypes.c_void_p(-1).value):
        code = ctypes.get_last_error()  # type: ignore[attr-defined]
        if code in (_ERROR_HANDLE_EOF, 1, 50, 87):  # no streams, or a file system that does not know them
            return
        raise OSError(code, ctypes.FormatError(code))  # type: ignore[attr-defined]
    try:
        for _ in range(MAX_STREAMS):
            yield found.name, found.size
            if not kernel.FindNextStreamW(handle, ctypes.byref(found)):
                return
    finally:
        kernel.FindClose(handle)


def _named(found: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """``:Zone.Identifier:$DATA`` without its colons and type, the main stream left out."""
    for name, size in found:
        if name != _MAIN:
            yield name.removeprefix(":").removesuffix(":$DATA"), size
