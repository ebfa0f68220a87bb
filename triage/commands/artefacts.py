"""``triage artefacts``: the documentation of what is read, made from what the artefacts declare of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.commands.common import stop

if TYPE_CHECKING:
    from artefacts.registry import Artefact

_INTRODUCTION = """\
# What is read

Each artefact: what it means, where it is looked for, on what its reading was validated, and the source of its format. Paths are inside a volume; `*` is
anything inside one part, `**` any number of parts, capital letters do not matter. *Generated* means tested on files that the tests write from the format's
description; *specimen* means tested on real files with known answers, value by value. Made by `triage artefacts`.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("artefacts")(artefacts)


def artefacts(
    out: Annotated[Path | None, typer.Option(help="Write the page here instead of printing it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of Markdown.")] = False,
) -> None:
    """Every artefact: what it means, where it lies, how far its reading was validated. Markdown, or JSON."""
    import json

    from artefacts.registry import all_artefacts

    found = all_artefacts()
    text = json.dumps([_row(item) for item in found], indent=1) + "\n" if as_json else page(found)
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        stop(f"{out} cannot be written: {error.strerror or error}")


def page(found: tuple[Artefact, ...]) -> str:
    """The page as Markdown: a table of contents by group (the first part of the id), then an entry for each artefact."""
    groups: dict[str, list[Artefact]] = {}
    for item in found:
        groups.setdefault(item.id.partition(".")[0], []).append(item)
    contents = "\n".join(f"- [{name}](#{name}): {len(items)}" for name, items in sorted(groups.items()))
    return f"{_INTRODUCTION}\n{contents}\n" + "".join(
        f"\n## {name}\n" + "".join(f"\n{line}\n" for item in items for line in _entry(item)) for name, items in sorted(groups.items())
    )


def _entry(item: Artefact) -> Iterator[str]:
    yield f"### {item.title}"
    yield item.meaning
    yield "\n".join(
        (
            f"- Id: `{item.parser}`",
            f"- Systems: {', '.join(item.systems)}",
            f"- Paths: {', '.join(f'`{path}`' for path in item.paths)}",
            f"- Validated on: {item.validation}",
            f"- Source: {', '.join(f'<{reference}>' for reference in item.references)}",
        )
    )


def _row(item: Artefact) -> dict[str, object]:
    return {
        "id": item.id,
        "version": item.version,
        "title": item.title,
        "meaning": item.meaning,
        "paths": list(item.paths),
        "systems": list(item.systems),
        "validation": item.validation,
        "references": list(item.references),
    }
