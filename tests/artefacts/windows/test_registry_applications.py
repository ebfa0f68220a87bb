"""What programs keep in the user's registry: searches of Ares, accounts of OneDrive, Linux inside Windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from artefacts.applications import ares, cloud_onedrive, virtual_machines

PATH = "/Users/jo/NTUSER.DAT"


def test_ares_onedrive_and_linux(write_hive: Callable[..., bytes], evidence: Any) -> None:
    tree = {
        "Software": {
            "Ares": {"Search.History": {"gen.gen": {b"one two".hex(): "", "73C3A9": ""}}},
            "Microsoft": {
                "OneDrive": {
                    "Accounts": {
                        "Personal": {"UserEmail": "jo@example.org", "UserFolder": "C:\\Users\\jo\\OneDrive"},
                        "Business1": {"x": 1},
                    }
                },
                "Windows": {"CurrentVersion": {"Lxss": {"{1}": {"DistributionName": "Debian", "BasePath": "C:\\Linux"}}}},
            },
        }
    }
    files = evidence({PATH: write_hive(tree)})
    found, problems = files.parse(ares.parse_searches, PATH)
    assert not problems and [(item.terms, item.engine, item.user) for item in found] == [("one two", "Ares", "jo"), ("sé", "Ares", "jo")]
    found, problems = files.parse(cloud_onedrive.parse_registry, PATH)
    assert not problems and (found[0].account, found[1].path, len(found)) == ("jo@example.org", "C:\\Users\\jo\\OneDrive", 2)
    found, problems = files.parse(virtual_machines.parse_wsl, PATH)
    assert not problems and [item.value for item in found] == ["Linux inside Windows (WSL): Debian; disks C:\\Linux"]


def test_a_hive_without_them_gives_nothing(write_hive: Callable[..., bytes], evidence: Any) -> None:
    files = evidence({PATH: write_hive({"Software": {}})})
    for parser in (ares.parse_searches, cloud_onedrive.parse_registry, virtual_machines.parse_wsl):
        assert files.parse(parser, PATH) == ([], [])
