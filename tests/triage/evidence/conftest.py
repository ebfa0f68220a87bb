"""What the tests of evidence share: programs of the system, and bytes that look like something."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable

import pytest

RunTool = Callable[..., str]


@pytest.fixture(scope="session")
def run_tool() -> RunTool:
    """A function that runs a program of the system and gives its output; the test is skipped, visibly, where it is absent."""

    def run(*command: object, stdin: bytes = b"") -> str:
        words = [str(word) for word in command]
        if shutil.which(words[0]) is None:
            pytest.skip(f"{words[0]} is not installed")
        done = subprocess.run(words, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace")

    return run


@pytest.fixture(scope="session")
def mixed_media() -> bytes:
    """4 MiB of media, half of it random (stored as it is by compressing containers), half text, every sector different."""
    source = random.Random(7)
    parts = []
    for sector in range(8192):
        parts.append(source.randbytes(512) if sector // 64 % 2 else (b"sector %08d.... " % sector)[:16] * 32)
    return b"".join(parts)
