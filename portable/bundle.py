"""Builds a bundle: ``python -m portable.bundle TARGET WORK OUT [SIGN-COMMAND]``, called by ``build.py bundle``.

For the system it runs on with PyInstaller as it is; for Windows on Linux see ``bundle_windows``.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from portable import bundle_windows, integrity, locks

ROOT = Path(__file__).resolve().parent.parent


def build(target: str, work: Path, out: Path, sign: str = "") -> Path:
    """Build into the folder ``out``/triage and return it. Raises ``SystemExit`` with a sentence where something is missing or fails."""
    if target == "windows" and sys.platform != "win32":
        folder = bundle_windows.build(Path(sys.executable), work / target, out)
    else:
        folder = _native(work / target, out)
    if sign:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".exe", ".dll", ".pyd"):
                subprocess.run([*shlex.split(sign), str(path)], check=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    integrity.write(folder, {"version": version, "target": target, "python": "3.11.9" if target == "windows" else sys.version.split()[0]})
    return folder


def _native(work: Path, out: Path) -> Path:
    """In an environment of its own, from the lock file of this system: what happens to be installed elsewhere has no place in a bundle."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(f"The lock files are for Python 3.11; this is {sys.version.split()[0]}.")
    text = locks.without((ROOT / "portable" / "lockfiles" / f"{system}.txt").read_text(encoding="utf-8"), locks.LEFT_OUT)
    stamp = work / "wanted.txt"
    python = work / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != text:
        shutil.rmtree(work, ignore_errors=True)
        venv.create(work / "venv", with_pip=True, symlinks=sys.platform != "win32")
        needed = work / "needed.txt"
        needed.write_text(text, encoding="utf-8")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-qq", "install", "--only-binary=:all:"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(needed)], check=True)
        subprocess.run([*pip, locks.BUILDER, *locks.BUILDERS], check=True)
        stamp.write_text(text, encoding="utf-8")
    shutil.rmtree(out / "triage", ignore_errors=True)
    command = [
        str(python),
        "-m",
        "PyInstaller",
        "--noconfirm",
        "--log-level",
        "ERROR",
        "--workpath",
        str(work / "build"),
        "--distpath",
        str(out),
    ]
    if subprocess.run([*command, str(ROOT / "portable" / "triage.spec")], check=False).returncode:
        raise SystemExit("PyInstaller failed; see above.")
    return out / "triage"


if __name__ == "__main__":
    folder = build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:5])
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.0f} MB, every file listed in {integrity.NAME}")
