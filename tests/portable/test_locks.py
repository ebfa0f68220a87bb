"""The lock files hold what the project asks for, with digests, and what is left out is left out whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from portable import locks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("system", ["windows", "linux", "macos"])
def test_every_dependency_is_pinned_with_digests(system: str) -> None:
    text = (ROOT / "portable" / "lockfiles" / f"{system}.txt").read_text()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    platform = {"windows": "win32", "linux": "linux", "macos": "darwin"}[system]
    names = {
        re.split(r"[\s;<>=\[]", item)[0].lower().replace("_", "-").replace(".", "-")
        for item in wanted
        if "sys_platform" not in item or (f"!= '{platform}'" not in item and ("!=" in item or f"== '{platform}'" in item))
        if not (system == "macos" and "platform_machine" in item)
    }
    pinned = dict(re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", text))
    assert names <= set(pinned)
    packages = re.split(r"(?m)^(?=[a-z])", text)[1:]
    assert len(packages) == len(pinned) and all("--hash=sha256:" in package for package in packages)


def test_left_out_whole() -> None:
    lock = "a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\nscipy==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\nz==3 \\\n    --hash=sha256:dd\n"
    assert locks.without(lock, ("scipy", "pywavelets")) == (
        "a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\nz==3 \\\n    --hash=sha256:dd\n"
    )
