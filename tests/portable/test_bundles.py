"""The real bundles, built here: the Windows one under Wine, the Linux one in a root without Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portable import bundle, integrity
from portable.bundle_windows import Prefix, exports, foreign_imports, imports, windows_path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "sample"
WORK = ROOT / ".bundle"

pytestmark = [pytest.mark.bundle, pytest.mark.tools, pytest.mark.xdist_group("bundle")]


class Windows:
    """The Windows bundle on a drive of its own under Wine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.prefix = folder, Prefix(WORK / "windows" / "prefix")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run ``triage.exe``."""
        return self.prefix.run(self.folder / "triage.exe", *arguments, timeout=300)


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    if not (shutil.which("wine") and shutil.which("x86_64-w64-mingw32-gcc")):
        pytest.skip("no wine or no mingw-w64")
    built = Windows(bundle.build("windows", WORK, ROOT / "dist" / "windows"))
    subprocess.run(["wineserver", "-p"], env=built.prefix.env, check=True)
    yield built
    built.prefix.stop()


@pytest.fixture(scope="module")
def linux() -> Path:
    if sys.platform != "linux" or sys.version_info[:2] != (3, 11):
        pytest.skip("the Linux bundle is built with Python 3.11 on Linux")
    return bundle.build("linux", WORK, ROOT / "dist" / "linux")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The report of the sample evidence as this Python makes it."""
    case = tmp_path_factory.mktemp("here") / "case"
    subprocess.run([sys.executable, "-m", "triage.cli", *_scan(str(SAMPLE / "sample.E01"), str(case), str(_known(case.parent)), str(SAMPLE / "words.csv"))], check=True, cwd=ROOT)  # fmt: skip
    return _report(case)


def _known(folder: Path) -> Path:
    out = folder / "known.hashset"
    subprocess.run([sys.executable, "-m", "triage.cli", "hashset", "build", str(out), str(SAMPLE / "known.md5"), "--role", "alert", "--name", "Sample"], check=True, cwd=ROOT)  # fmt: skip
    return out


def _scan(source: str, case: str, known: str, words: str) -> list[str]:
    return ["scan", source, "--case", case, "--hashset", known, "--keywords", words]


def _report(case: Path) -> dict[str, object]:
    return dict(json.loads((case / "report.json").read_text()))


def test_windows_bundle_is_whole_and_needs_nothing_else(windows: Windows) -> None:
    assert integrity.full_check(windows.folder) == []
    assert foreign_imports(windows.folder) == []
    assert "KERNEL32.dll" in imports(windows.folder / "triage.exe")
    assert not [path for path in windows.folder.rglob("*") if path.name.lower() in ("ucrtbase.dll", "bcryptprimitives.dll", "ucrtwine.dll")]


def test_windows_bundle_answers_and_tests_itself(windows: Windows) -> None:
    code, said = windows.run("--version")
    assert code == 0 and said.strip().endswith("triage 0.1.0")
    code, said = windows.run("selftest")
    assert code == 0 and "The self-test passed." in said, said


def test_windows_bundle_finds_what_is_found_here(windows: Windows, here: dict[str, object], tmp_path: Path) -> None:
    arguments = map(windows_path, (SAMPLE / "sample.E01", tmp_path / "case", _known(tmp_path), SAMPLE / "words.csv"))
    code, said = windows.run(*_scan(*arguments))
    assert code in (0, 3), said
    there = _report(tmp_path / "case")
    assert there["findings"] == here["findings"] and len(here["findings"]) >= 5  # type: ignore[arg-type]
    assert there["observations"] == here["observations"]
    assert windows.run("verify", windows_path(tmp_path / "case"))[0] == 0


def _visit(folder: Path) -> Path:
    path = folder / "visit.yaml"
    path.write_text(
        "reference: T/1\nofficer: {name: A. Example, number: '1', force: Example}\nsubject: {reference: S-1}\nauthority: {basis: order, reference: Order 1}\n"
    )
    return path


def test_a_live_drive_is_not_examined_without_authority(windows: Windows, tmp_path: Path) -> None:
    code, said = windows.run("scan", "C:\\", "--live", "--case", windows_path(tmp_path / "case"))
    assert code == 2 and "name the authority" in said and not (tmp_path / "case").exists()


def test_the_live_system_drive_is_read_through_the_file_system(windows: Windows, tmp_path: Path) -> None:
    code, said = windows.run(
        "scan", "C:\\", "--live", "--case", windows_path(tmp_path / "case"), "--visit", windows_path(_visit(tmp_path)), "--profile", "quick"
    )
    assert code == 3 and "Traceback" not in said, said
    report = _report(tmp_path / "case")
    (source,) = report["sources"]  # type: ignore[misc]
    assert source["kind"] == "live" and source["facts"]["drive"] == "C:"  # type: ignore[index]
    reasons = [item["reason"] for item in report["coverage"] if item["what"] == "source"]  # type: ignore[attr-defined]
    assert len(reasons) == 1 and reasons[0].startswith("not read raw: started as administrator, files that Windows keeps open")


def test_a_live_drive_is_read_raw_where_that_is_allowed(windows: Windows, tmp_path: Path) -> None:
    if shutil.which("mkntfs") is None:
        pytest.skip("no mkntfs")
    image = tmp_path / "ntfs.img"
    image.touch()
    os.truncate(image, 32 << 20)
    subprocess.run(["mkntfs", "-q", "-F", "-L", "TEST", str(image)], check=True, capture_output=True)
    subprocess.run(["ntfscp", "-q", str(image), str(SAMPLE / "words.csv"), "words.csv"], check=True, capture_output=True)
    before = image.read_bytes()
    drives, mounted = windows.prefix.folder / "dosdevices", tmp_path / "mounted"
    mounted.mkdir()
    for name, target in (("f:", mounted), ("f::", image)):
        (drives / name).unlink(missing_ok=True)
        (drives / name).symlink_to(target)
    code, said = windows.run(
        "scan", "F:\\", "--live", "--case", windows_path(tmp_path / "case"), "--visit", windows_path(_visit(tmp_path)), "--profile", "quick"
    )
    assert code in (0, 3), said
    (source,) = _report(tmp_path / "case")["sources"]  # type: ignore[misc]
    assert (source["kind"], source["volumes"][0]["filesystem"], source["volumes"][0]["label"]) == ("live", "ntfs", "TEST")  # type: ignore[index]
    assert image.read_bytes() == before


def test_a_changed_windows_bundle_does_not_start(windows: Windows, tmp_path: Path) -> None:
    copy = tmp_path / "triage"
    shutil.copytree(windows.folder, copy, copy_function=os.link)
    rule = next(copy.rglob("hash_sets.yaml"))
    text = rule.read_bytes()
    rule.unlink()
    rule.write_bytes(text.replace(b"severity: 5", b"severity: 1"))
    code, said = Windows(copy).run("--version")
    assert code == 1 and "was changed" in said and "Traceback" not in said


def test_linux_bundle_runs_in_a_root_without_python(linux: Path, here: dict[str, object], tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("chroot needs root")
    root = tmp_path / "root"
    _bare_root(root)
    shutil.copytree(linux, root / "triage")
    shutil.copytree(SAMPLE, root / "sample")
    shutil.copy(_known(tmp_path), root / "known.hashset")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("chroot") or "chroot", str(root), "/triage/triage", *arguments],
            capture_output=True,
            text=True,
            env={"PATH": "/bin"},
            timeout=300,
        )

    assert run("selftest").stdout.strip().endswith("The self-test passed.")
    done = run(*_scan("/sample/sample.E01", "/case", "/known.hashset", "/sample/words.csv"))
    assert done.returncode in (0, 3), done.stderr
    assert _report(root / "case")["findings"] == here["findings"]
    assert run("verify", "/case").returncode == 0


def _bare_root(root: Path) -> None:
    """A root with the C library and zlib, as the smallest Debian has them, and nothing else: no Python, no shell."""
    for name in ("lib/x86_64-linux-gnu", "lib64", "tmp", "dev/shm", "proc"):
        (root / name).mkdir(parents=True)
    for name in ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libz.so.1"):
        shutil.copy(Path("/lib/x86_64-linux-gnu") / name, root / "lib/x86_64-linux-gnu" / name)
    shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64" / "ld-linux-x86-64.so.2")
    for name, minor in (("null", 3), ("urandom", 9)):
        os.mknod(root / "dev" / name, 0o20666, os.makedev(1, minor))


def test_exports_are_read(windows: Windows) -> None:
    assert "PyObject_Call" in exports(windows.folder / "_internal" / "python311.dll")
