#!/usr/bin/env python3
"""Set-up and daily work, with nothing but Python's standard library.

python3 build.py run [SOURCE…]   install, then scan the sample evidence (or the sources given) and verify the report
python3 build.py test [ARGS…]    install with the test tools, then lint, type-check and test (ARGS go to pytest; "-m bundle" builds and tries the bundles)
python3 build.py bench [ARGS…]   install, then measure against peers (ARGS: names of benchmarks, --large)
python3 build.py bundle [--target windows] [--out DIR] [--sign-command COMMAND]
                                 one folder that runs without Python, for this system, or on Linux for Windows (needs wine64, mingw-w64)
python3 build.py lock            write the pins with digests that bundles are built from (portable/lockfiles)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
WORK = ROOT / ".bundle"
SAMPLE = ROOT / "tests" / "data" / "sample"
OLDEST, NEWEST = (3, 11), (3, 13)


def main(arguments: list[str]) -> int:
    commands = {"run": run, "test": test, "bench": bench, "bundle": bundle, "lock": lock}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    return commands[arguments[0]](arguments[1:])


def run(arguments: list[str]) -> int:
    """Scan the sample evidence, or the sources given, into a new case folder and verify it."""
    install("")
    case = Path(tempfile.mkdtemp(prefix="triage-case-")) / "case"
    triage = [str(BIN / "triage")]
    options: list[str] = []
    if not arguments:
        arguments = [str(SAMPLE / "sample.E01")]
        known = case.parent / "known.hashset"
        if call([*triage, "hashset", "build", str(known), str(SAMPLE / "known.md5"), "--role", "alert", "--name", "Sample known files"]):
            return 1
        options = ["--hashset", str(known), "--keywords", str(SAMPLE / "words.csv")]
    code = call([*triage, "scan", *arguments, "--case", str(case), *options])
    if code not in (0, 3):
        return code
    verified = call([*triage, "verify", str(case)])
    print(f"\nThe report: {case / 'report.html'}")
    return verified


def test(arguments: list[str]) -> int:
    """Lint, type-check and test."""
    install("test")
    steps = [["-m", "ruff", "check", "."], ["-m", "ruff", "format", "--check", "."], ["-m", "mypy"]]
    for step in [] if arguments else steps:
        if code := call([str(PYTHON), *step]):
            return code
    return call([str(PYTHON), "-m", "pytest", *(arguments or ["-n", "auto", "-m", "not bundle"])])


def bench(arguments: list[str]) -> int:
    """Run the benchmarks."""
    install("test")
    return call([str(PYTHON), "-m", "tests.benchmarks", *arguments])


def bundle(arguments: list[str]) -> int:
    """Build a bundle into ``dist`` (or ``--out``). ``--sign-command`` is run with each program file as its last argument."""
    native = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    parser = argparse.ArgumentParser(prog="build.py bundle")
    parser.add_argument("--target", choices=sorted({native, "windows"}), default=native)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--sign-command", default="")
    chosen = parser.parse_args(arguments)
    install("bundle")
    command = [
        str(PYTHON),
        "-m",
        "portable.bundle",
        chosen.target,
        str(WORK),
        str(chosen.out.absolute() / chosen.target),
        chosen.sign_command,
    ]
    return call(command)


def lock(arguments: list[str]) -> int:
    """Write ``portable/lockfiles``: every package of a bundle with its version and digests, for each system."""
    install("bundle")
    platforms = {"windows": "x86_64-pc-windows-msvc", "linux": "x86_64-manylinux_2_28", "macos": "aarch64-apple-darwin"}
    for name, platform in platforms.items():
        command = [str(BIN / "uv"), "pip", "compile", "--quiet", "--no-config", "--python-platform", platform, "--python-version", "3.11"]
        command += ["--generate-hashes", "--no-annotate", "--no-header", "--only-binary", ":all:", "pyproject.toml"]
        if code := call([*command, "-o", f"portable/lockfiles/{name}.txt", *arguments]):
            return code
    return 0


def install(extra: str) -> None:
    """Make ``.venv`` and install the project into it, unless it is there and nothing has changed."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "installed.json"
    installed = json.loads(stamp.read_text()) if stamp.is_file() else {}
    if installed.get("wanted") == wanted and extra in ("", *installed.get("extras", [])):
        return
    if not PYTHON.exists():
        make_venv()
    print("Installing (once) …", flush=True)
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    if call([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", target]):
        raise SystemExit("The installation failed; see above.")
    extras = sorted({extra, *(installed.get("extras", []) if installed.get("wanted") == wanted else [])} - {""})
    stamp.write_text(json.dumps({"wanted": wanted, "extras": extras}))


def make_venv() -> None:
    """Make the virtual environment. A Debian Python without ``python3-venv`` has no ensurepip: pip is then fetched from PyPI."""
    try:
        # Not as a subprocess: the interpreter that runs this file is the one that is wanted.
        venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
        return
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=False, symlinks=os.name != "nt")
    print("This Python cannot install pip by itself (on Debian: apt install python3-venv). Fetching pip from PyPI …", flush=True)
    with urllib.request.urlopen("https://pypi.org/pypi/pip/json", timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["filename"].endswith("-py3-none-any.whl"))
    with urllib.request.urlopen(wheel["url"], timeout=120) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != wheel["digests"]["sha256"]:
        raise SystemExit("pip from PyPI does not have the digest that PyPI states.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / wheel["filename"]
        path.write_bytes(data)
        if call([str(PYTHON), str(path / "pip"), "install", "--quiet", "--no-index", str(path)]):
            raise SystemExit("pip could not be installed.")


def call(command: list[str]) -> int:
    """Run a command in the project's folder; returns its exit code."""
    return subprocess.call(command, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
