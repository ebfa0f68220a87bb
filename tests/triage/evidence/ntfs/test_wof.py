"""Files that Windows keeps compressed: chunks packed here and by wimlib, which writes the same form; damage."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triage.evidence.filesystems.stream import NativeReader
from triage.evidence.ntfs import lzx
from triage.evidence.ntfs.wof import WofReader, algorithm_of

CHUNKS = {0: 4096, 1: 32_768, 2: 8192, 3: 16_384}


def huffman(data: bytes) -> bytes:
    """LZXPRESS Huffman of ASCII: a code of seven bits for each character, itself, in words of 16 bits."""
    bits = "".join(f"{byte:07b}" for byte in data)
    words = (bits[at : at + 16].ljust(16, "0") for at in range(0, len(bits), 16))
    return b"\x77" * 64 + bytes(192) + b"".join(struct.pack("<H", int(word, 2)) for word in words) + bytes(4)


def lzx_stored(data: bytes) -> bytes:
    """LZX of one block of stored bytes: 3 bits of kind, one that the size follows, 16 of the size, then three distances."""
    bits = (3 << 17 | len(data)) << 12
    head = bits.to_bytes(4, "big")
    return head[1::-1] + head[:1:-1] + struct.pack("<3I", 1, 1, 1) + data + bytes(len(data) % 2)


def packed(data: bytes, algorithm: int, pack: Callable[[bytes], bytes]) -> bytes:
    chunks = [data[at : at + CHUNKS[algorithm]] for at in range(0, len(data), CHUNKS[algorithm])]
    stored = [small if len(small := pack(chunk)) < len(chunk) else chunk for chunk in chunks]
    ends = [sum(map(len, stored[: number + 1])) for number in range(len(stored) - 1)]
    return struct.pack(f"<{len(ends)}I", *ends) + b"".join(stored)


def reader(stream: bytes, size: int, algorithm: int) -> WofReader:
    return WofReader(NativeReader(lambda offset, length: stream[offset : offset + length], len(stream)), size, algorithm)


def point(algorithm: int, provider: int = 2) -> bytes:
    return struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, provider, 1, algorithm)


def text(size: int) -> bytes:
    return b"".join(b"line %d of the page\n" % number for number in range(size // 16))[:size]


@pytest.mark.parametrize("algorithm", [0, 2, 3])
def test_packed_and_stored_chunks(algorithm: int) -> None:
    data = text(50_000) + bytes(range(128)) * 2  # the last chunk is too short to be worth packing
    stream = packed(data, algorithm, huffman)
    assert len(stream) < len(data)
    content = reader(stream, len(data), algorithm)
    assert content.read() == data
    content.seek(40_000)
    assert content.read(5000) == data[40_000:45_000]
    assert content.read_errors == []


def test_lzx_blocks_of_stored_bytes() -> None:
    data = text(2000)
    assert lzx.decompress(lzx_stored(data), len(data)) == data
    for bad in (b"", bytes(64), b"\xff" * 64, lzx_stored(data)[:100]):
        with pytest.raises(lzx.Damaged):
            lzx.decompress(bad, 2000)


def test_what_the_reparse_point_says() -> None:
    assert [algorithm_of(point(number)) for number in range(5)] == [0, 1, 2, 3, None]
    assert algorithm_of(point(0, provider=1)) is None  # in a WIM archive
    assert algorithm_of(point(0)[:20]) is None


def test_lying_sizes_and_tables() -> None:
    data = text(20_000)
    stream = packed(data, 0, huffman)
    assert reader(stream, len(data), 0).read() == data
    huge = reader(stream, 1 << 60, 0)
    assert huge.size <= len(stream) * 4096 and huge.read_errors
    empty = reader(b"", 5000, 0)
    assert empty.read() == b"" and empty.read_errors
    backwards = reader(struct.pack("<4I", 9, 8, 7, 6) + stream[16:], len(data), 0)
    assert len(backwards.read()) == len(data) and backwards.read_errors


def wim(tmp_path: Path, files: dict[str, bytes], compression: str, chunk: int) -> Iterator[tuple[bytes, int]]:
    """(compressed stream, size of its content) of each file in an archive that wimlib makes."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    target = tmp_path / "a.wim"
    command = ["wimlib-imagex", "capture", str(folder), str(target), f"--compress={compression}", f"--chunk-size={chunk}"]
    subprocess.run(command, check=True, capture_output=True)
    data = target.read_bytes()

    def place(at: int) -> tuple[int, int, int, int]:
        return int.from_bytes(data[at : at + 7], "little"), data[at + 7], *struct.unpack_from("<QQ", data, at + 8)

    size, _, offset, _ = place(48)
    for at in range(offset, offset + size, 50):
        stored, flags, start, original = place(at)
        if flags & 4 and not flags & 2:  # compressed, and no metadata
            yield data[start : start + stored], original


@pytest.mark.tools
@pytest.mark.parametrize("algorithm", [0, 1, 2, 3])
def test_as_wimlib_packs_them(tmp_path: Path, algorithm: int) -> None:
    if shutil.which("wimlib-imagex") is None:
        pytest.skip("wimlib-imagex (wimtools) is not installed")
    rng = random.Random(1)
    program = b"".join(rng.randbytes(20) + b"\xe8" + rng.randbytes(2) + b"\0\0mov call ret" * 3 for _ in range(3000))
    numbers = b"".join(b"%d\n" % number for number in range(20_000))  # without long matches: libfwnt's LZX refuses it
    files = {"program": program, "numbers": numbers}
    found = list(wim(tmp_path, files, "LZX" if algorithm == 1 else "XPRESS", CHUNKS[algorithm]))
    assert len(found) == 2
    for stream, size in found:
        content = reader(stream, size, algorithm)
        data = content.read()
        assert content.read_errors == []
        assert data in files.values()
        content.seek(size // 2)
        assert content.read(100) == data[size // 2 : size // 2 + 100]
        for seed in range(12):
            rng = random.Random(seed)
            damaged = bytearray(stream)
            if seed % 3:
                for _ in range(20):
                    damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            else:
                del damaged[rng.randrange(len(damaged) * 3 // 4) :]
            broken = reader(bytes(damaged), size, algorithm)
            assert len(broken.read()) <= size
            assert seed % 3 or broken.read_errors
