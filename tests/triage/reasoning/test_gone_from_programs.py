"""Gone files that programs for sharing and for clouds remember."""

from __future__ import annotations

from artefacts.observations import FileSeen, SharedFile
from tests.triage.reasoning.conftest import draw, row, seen
from triage.reasoning.gone_files import GoneFiles


def test_what_could_be_fetched_was_not_here() -> None:
    listed = SharedFile(name="a.jpg", path="set/a.jpg", state="listed", hashes={"sha1": "ab" * 20})
    assert draw(GoneFiles, [seen(listed, "/a.torrent")]) == []


def test_a_torrent_that_is_a_folder_is_no_file_that_is_gone() -> None:
    folder = SharedFile(name="Some Album", path="/home/jo/Some Album", state="complete", hashes={"infohash": "ab" * 20})
    single = SharedFile(name="film.mkv", path="/home/jo/film.mkv", state="complete", hashes={"infohash": "cd" * 20})
    (found,) = draw(GoneFiles, [seen(folder, "/a", "k=1"), seen(single, "/a", "k=2")])
    assert found["path"] == "/home/jo/film.mkv"


def test_a_file_in_the_cloud_is_gone_only_where_no_file_here_has_its_name() -> None:
    away = FileSeen(path="OneDrive:/Pictures/away.jpg", how="cloud client", hashes={"sha1": "ab" * 20})
    here = FileSeen(path="OneDrive:/Pictures/here.jpg", how="cloud client")
    (found,) = draw(GoneFiles, [seen(away, "/db", "k=1"), seen(here, "/db", "k=2")], [row("/Users/jo/OneDrive/Pictures/here.jpg")])
    assert (found["path"], found["where"]) == ("OneDrive:/Pictures/away.jpg", "cloud")
