"""Every disk image of the specimens, through the real command: no traceback, a stated coverage for each volume, and the published facts."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.triage.scan.conftest import command

pytestmark = [pytest.mark.specimens, pytest.mark.slow]

NOT_IMAGES = {".txt", ".fls", ".body"}


class Cases:
    """One scan of all images, each a source of its own."""

    def __init__(self, folder: Path, paths: dict[str, Path]) -> None:
        self.case = folder / "case"
        self.paths = paths
        secrets = folder / "secrets.txt"
        secrets.write_text("apfs-TEST\nluksde-TEST\n")
        before = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
        sources = [str(path) for path in paths.values()]
        self.done = subprocess.run(
            command("scan", *sources, "--case", self.case, "--unlock", secrets, "--quiet"),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        self.changed = [name for name, path in paths.items() if hashlib.sha256(path.read_bytes()).hexdigest() != before[name]]
        self.report: dict[str, Any] = json.loads((self.case / "report.json").read_bytes())
        self.ids = {name: f"s{number}" for number, name in enumerate(paths, start=1)}
        exported = folder / "observations.jsonl"
        subprocess.run(command("export", self.case, "--format", "jsonl", "--out", exported), check=True)
        self.files: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with open(exported, encoding="utf-8") as lines:
            for line in lines:
                item = json.loads(line)
                if item["type"] in ("FileSeen", "DeletedFile"):
                    self.files[item["provenance"]["source"]].append(item)

    def of(self, name: str, type_: str | None = None) -> dict[str, dict[str, Any]]:
        """Path → file for an image; ``type_`` FileSeen or DeletedFile."""
        return {item["path"]: item for item in self.files[self.ids[name]] if type_ in (None, item["type"])}

    def volumes(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = next(s for s in self.report["sources"] if s["id"] == self.ids[name])["volumes"]
        return found


@pytest.fixture(scope="module")
def cases(specimens: Path, unpacked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Cases:
    folder = tmp_path_factory.mktemp("images")
    paths: dict[str, Path] = {}
    for packed in sorted((specimens / "images").rglob("*")):
        if not packed.is_file() or packed.suffix in NOT_IMAGES:
            continue
        relative = packed.relative_to(specimens).as_posix()
        if relative.endswith("test_hello.512b.gz"):
            paths[relative] = folder / "test_hello.512b"
            paths[relative].write_bytes(packed.read_bytes())
            continue
        paths[relative] = unpacked(relative)
    with zipfile.ZipFile(specimens / "images/dftt/1-extend-part.zip") as archive:
        member = next(name for name in archive.namelist() if name.endswith(".dd"))
        archive.extract(member, folder)
        paths["1-extend-part.dd"] = folder / member
    return Cases(folder, paths)


def _md5(files: dict[str, dict[str, Any]], path: str) -> str | None:
    digest: str | None = files[path]["hashes"].get("md5")
    return digest


def test_no_traceback_and_no_image_changed(cases: Cases) -> None:
    assert cases.done.returncode == 3, cases.done.stderr
    assert "Traceback" not in cases.done.stderr + cases.done.stdout
    assert cases.changed == []
    assert subprocess.run(command("verify", cases.case), capture_output=True, check=False).returncode == 0


def test_every_source_and_every_volume_has_its_coverage(cases: Cases) -> None:
    covered = {(row["source"], row.get("volume") or "") for row in cases.report["coverage"]}
    sources = {row["source"] for row in cases.report["coverage"]}
    for name, source_id in cases.ids.items():
        assert source_id in sources, name
        for volume in cases.volumes(name):
            if volume["status"] == "parsed":
                assert (source_id, volume["id"]) in covered, (name, volume)
            else:
                assert volume["reason"], (name, volume)


def test_item_1_deleted_files_of_a_fat16(cases: Cases) -> None:
    deleted = cases.of("images/dftt/6-fat-undel.dd.xz", "DeletedFile")
    by_name = {path.rsplit("/", 1)[-1].lower(): (path, item) for path, item in deleted.items()}
    # FAT overwrites the first letter of a deleted name. frag1 and frag2 lie interleaved and both deleted: nothing tells their clusters apart.
    recovered = {
        "_ing.dat": (780, "59b20779f69ff9f0ac5fcd2c38835a79"),
        "_ult1.dat": (3801, "ffd27bd782bdce67750b6b9ee069d2ef"),
        "mult2.dat": (1715, "59cf0e9cd107bc1e75afb7374f6e05bb"),
        "frag3.dat": (2027, "21121699487f3fbbdb9a4b3391b6d3e0"),
    }
    assert len([item for item in deleted.values() if item["kind"] == "file"]) == 6
    # Windows had added three more, under System Volume Information, which the published page leaves out.
    folders = [item["path"] for item in deleted.values() if item["kind"] == "directory" and "System Volume Information" not in item["path"]]
    assert len(folders) == 2
    for name, (size, digest) in recovered.items():
        path, item = by_name[name]
        assert (item["size"], item["hashes"]["md5"]) == (size, digest), path
    for name, size in (("_rag1.dat", 1584), ("_rag2.dat", 3873), ("frag3.dat", 2027)):
        assert (by_name[name][1]["size"], by_name[name][1]["content"]) == (size, "guess")


def test_item_2_names_on_the_keyword_image(cases: Cases) -> None:
    files = cases.of("images/dftt/fat-img-kw.dd.xz")
    assert {"/file1.dat", "/file2.dat", "/file3.dat", "/file4.dat", "/file6.dat", "/file7.dat"} <= {
        path.lower() for path in cases.of("images/dftt/fat-img-kw.dd.xz", "FileSeen")
    }
    assert any(path.lower().endswith("ile5.dat") and item["type"] == "DeletedFile" for path, item in files.items())


def test_item_3_local_times_are_not_instants(cases: Cases) -> None:
    files = {path.lower(): item for path, item in cases.of("images/dftt/daylight.dd.xz").items()}
    for name, local in (("/winter.txt", "2004-01-01T14:00:02"), ("/summer.txt", "2004-06-01T15:00:04")):
        assert files[name]["time"] is None
        assert files[name]["time_local"] == local
        assert "zone" in files[name]["time_reason"]


def test_item_4_labels(cases: Cases) -> None:
    assert cases.volumes("images/dftt/9-fat-label.dd.xz")[0]["label"] == "LABEL2"
    digests = {item["hashes"].get("md5") for item in cases.of("images/dftt/9-fat-label.dd.xz").values()}
    assert "8aeca328aa6fbb7d2ec01f8c2f3e4bbd" in digests


def test_item_5_extended_partitions(cases: Cases) -> None:
    volumes = [v for v in cases.volumes("1-extend-part.dd") if v["filesystem"]]
    assert [v["offset"] // 512 for v in volumes] == [63, 52416, 104832, 157311, 209727, 262143]
    assert all((v["filesystem"] or "").startswith("fat16") for v in volumes)
    files = [
        item
        for item in cases.files[cases.ids["1-extend-part.dd"]]
        if item["type"] == "FileSeen" and item["kind"] == "file" and item["size"] == 0
    ]
    assert len({item["provenance"]["volume"] for item in files}) == 6


def test_item_8_exfat_files_deleted_and_not(cases: Cases, specimens: Path) -> None:
    with open(specimens / "expected/forensics-samples-hashes.tsv", encoding="utf-8") as file:
        wanted = {
            row for line in csv.reader(file, delimiter="\t") for row in line if len(row) == 32 and all(c in "0123456789abcdef" for c in row)
        }
    live = {
        item["hashes"].get("md5")
        for item in cases.of("images/forensics-samples/fs.exfat.xz", "FileSeen").values()
        if item["kind"] == "file"
    }
    gone = [item for item in cases.of("images/forensics-samples/fs.exfat.xz", "DeletedFile").values() if item["kind"] == "file"]
    assert len([digest for digest in live if digest in wanted]) >= 18
    recovered = [item for item in gone if item["hashes"].get("md5") in wanted]
    assert len(recovered) == 18


TREE = {
    "/passwords.txt": "39cb097008d17660abd0539891a672af",
    "/a_directory/a_file": "85bebf486af24792085f769afa46717d",
    "/a_directory/another_file": "d54ff73404ed6041a3bd66850b061bff",
}


@pytest.mark.parametrize(
    "name",
    [
        *(f"images/dfvfs/{n}" for n in (
            "ext2.raw.xz", "ext4.raw.xz", "fat12.raw.xz", "ntfs.raw.xz", "hfsplus.raw.xz", "apfs.raw.xz", "xfs.raw.xz", "ext2.E01",
            "ext2.qcow2", "ext2.vhd.xz", "ext2.vmdk", "hfsplus_zlib.dmg",
        )),
        *(f"images/plaso/{n}" for n in ("image.E01", "image.qcow2", "image.vhd.xz", "apfs.dmg.xz")),
        *(f"images/sleuthkit/image.{n}" for n in ("dd", "E01", "qcow", "vhd.xz", "vmdk")),
        "images/dfvfs-encrypted-and-vss/apfs_encrypted.dmg.xz",
        "images/dfvfs-encrypted-and-vss/luks1.raw.xz",
        "images/dfvfs-encrypted-and-vss/lvm.raw.xz",
    ],
)  # fmt: skip
def test_items_9_10_15_the_same_tree_everywhere(cases: Cases, name: str) -> None:
    files = cases.of(name, "FileSeen")
    assert {path: _md5(files, path) for path in TREE if path in files} == TREE


def test_item_10_shadow_copies_are_listed(cases: Cases) -> None:
    assert len([v for v in cases.volumes("images/dfvfs-encrypted-and-vss/vss.raw.xz") if v["scheme"] == "vss"]) == 2


def test_item_11_small_fat_and_exfat(cases: Cases) -> None:
    for name, label in (("fat12.bin.xz", "VOLLAB1"), ("fat16.bin.xz", "LABFAT16")):
        files = {path.lower(): item for path, item in cases.of(f"images/dissect-fat/{name}", "FileSeen").items()}
        assert {path: files[path]["size"] for path in ("/file1.txt", "/file2.txt", "/subdir1/file3.txt")} == {
            "/file1.txt": 20,
            "/file2.txt": 23,
            "/subdir1/file3.txt": 27,
        }
        assert cases.volumes(f"images/dissect-fat/{name}")[0]["label"] == label
    files = cases.of("images/dissect-fat/exfat.bin.xz", "FileSeen")
    assert (files["/cat.jpg"]["size"], files["/find_me.txt"]["size"]) == (88786, 9)
    assert cases.volumes("images/dissect-fat/exfat.bin.xz")[0]["label"] == "THESIS"


def test_item_12_ntfs(cases: Cases) -> None:
    name = "images/dissect-ntfs/ntfs.bin.gz"
    files = cases.of(name, "FileSeen")
    assert _md5(files, "/File.txt") == hashlib.md5(b"Contents here").hexdigest()
    assert _md5(files, "/Large.txt") == hashlib.md5(b"A" * 2097152).hexdigest()
    assert len([path for path in files if path.startswith("/Large Directory/") and path.count("/") == 2]) == 2048
    assert cases.volumes(name)[0]["label"] == "New Volume"


def test_item_14_velociraptor_fat(cases: Cases) -> None:
    files = {path.lower(): item for path, item in cases.of("images/velociraptor/fat_very_small.dd", "FileSeen").items()}
    hello = files["/a/b/hello.txt"]
    assert (hello["size"], hello["hashes"]["md5"]) == (12, "6f5902ac237024bdd0c176cb93063dc4")
    assert hello["time_local"] == "2023-09-23T09:33:48"


def test_item_15_two_ntfs_partitions(cases: Cases) -> None:
    volumes = [v for v in cases.volumes("images/plaso/multi_partition_image.vmdk.xz") if v["filesystem"] == "ntfs"]
    assert len(volumes) == 2
    assert volumes[1]["offset"] == 0x510000
