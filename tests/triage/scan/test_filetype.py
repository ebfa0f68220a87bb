"""What a file is, by its content."""

from __future__ import annotations

import subprocess
import sys

import pytest

from triage.scan.filetype import file_type, is_text


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"MZ\x90", "application/vnd.microsoft.portable-executable"),
        (b"", "inode/x-empty"),
        (b"%!PS-Adobe-3.0\n", "application/postscript"),
        (b"plain words\n" * 5, "text/plain"),
        (bytes(64), "application/octet-stream"),
    ],
)
def test_types(head: bytes, mime: str) -> None:
    assert file_type(head) == mime


def test_libmagic_is_the_wheels_own_with_its_own_data_base() -> None:
    """The computer's own libmagic, of whatever age, has no say: the same file is of the same type everywhere."""
    if sys.platform == "win32":
        pytest.skip("python-magic-bin brings its own")
    code = "from triage.scan.filetype import file_type; file_type(b'%!PS'); print(open('/proc/self/maps').read())"
    maps = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    libraries = {line.split()[-1] for line in maps.splitlines() if "libmagic" in line}
    assert libraries and all("pylibmagic" in name for name in libraries)


def test_text_is_told_from_bytes() -> None:
    assert is_text("Grüße\n".encode()) and is_text("words in UTF-16".encode("utf-16-le")) and is_text(b"\xff\xfex")
    assert not is_text(b"") and not is_text(bytes(64)) and not is_text(bytes(range(1, 32)) * 4)
