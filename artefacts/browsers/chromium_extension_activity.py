"""What extensions and applications of a Chromium browser did, where it was told to log that: the database ``Extension Activity``.

Sources: Chromium's chrome/browser/extensions/activity_log (counting_policy.cc: words are kept once, in ``string_ids`` and ``url_ids``;
fullstream_ui_policy.cc: the older ``activitylog_full``). Times are WebKit microseconds (UTC). Arguments are not read.
"""

from __future__ import annotations

from artefacts.browsers.profiles import CHROMIUM, Owner
from artefacts.browsers.reading import Results, read_database, time_of
from artefacts.coverage import Problem
from artefacts.observations import ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import from_webkit

_TABLES: dict[str, tuple[str, ...]] = {"activitylog_compressed": ("extension_id_x",), "activitylog_full": ("extension_id",)}
_ACTIONS = {
    0: "called", 1: "was told of", 2: "called and was refused", 3: "ran a script in a page", 4: "changed a page", 5: "changed a request",
    6: "called and was refused (over its quota)",
}  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each row: the extension, what it called (in ``time_meaning``) and how often; ``path`` is the page it did so in."""
    yield from read_database(file, CHROMIUM, _TABLES, _read)


def _read(database: Database, owned: Owner) -> Results:
    for table in _TABLES:
        compressed = table.endswith("compressed")
        identifier, name, page = ("extension_id_x", "api_name_x", "page_url_x") if compressed else ("extension_id", "api_name", "page_url")
        for row in database.rows(table, (identifier,), ("time", "count", "action_type", name, page)):
            if isinstance(row, Problem):
                yield row
                continue
            action = row.integer("action_type")
            did = _ACTIONS.get(action, f"did something of kind {action}") if action is not None else "did"
            yield ProgramRun(
                program=_word(database, row, identifier, "string_ids")
                or f"[extension not known: row {row.text(identifier)} of string_ids is gone]",
                path=_word(database, row, page, "url_ids"),
                time=time_of(row, "time", from_webkit),
                time_meaning=f"last time the extension {did} {_word(database, row, name, 'string_ids') or ''}".rstrip(),
                count=row.integer("count"),
                user=owned.user,
                how=f"activity of an extension of {owned.browser}",
                locator=row.locator,
            )


def _word(database: Database, row: Row, column: str, words: str) -> str | None:
    """The text of a column: it stands there, or its number in the table ``words`` does."""
    if not column.endswith("_x"):
        return row.text(column)
    found = database.lookup(words, row.integer(column), ("value",))
    return found.text("value") if found is not None else None


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.extension_activity",
        title="Chromium browsers: activity of extensions",
        meaning="What extensions did, and when. Only kept where the browser was started to log it.",
        paths=("**/Extension Activity",),
        parse=parse,
        references=("https://chromium.googlesource.com/chromium/src/+/main/chrome/browser/extensions/activity_log/",),
        validation="specimen of Chrome 42",
    ),
)
