"""The report's page, its style and the schema of ``report.json``. Data only: nothing here knows where the values come from.

``report.html.j2`` is made of blocks (``brand``, ``page_one``, ``conditions``, ``findings``, …). A police force changes its logo or
wording with a template of the same name in a folder of its own that begins with ``{% extends "base/report.html.j2" %}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
FONTS = _HERE / "fonts"
"""DejaVu Sans, in regular, bold and mono, for ``report.pdf``."""


def environment(finalize: Callable[[Any], Any], overrides: Path | None = None) -> Environment:
    """Jinja2 with escaping always on. ``finalize`` is applied to every printed value before it is escaped; a name that is not
    defined is an error, not an empty text. Templates in ``overrides`` come before those here."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    base = FileSystemLoader(_HERE)
    loaders = [FileSystemLoader(overrides)] if overrides else []
    return Environment(
        loader=ChoiceLoader([*loaders, base, PrefixLoader({"base": base})]),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def stylesheet() -> str:
    """The style of ``report.html``."""
    return (_HERE / "report.css").read_text("utf-8")


def schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of ``report.json``."""
    return dict(json.loads((_HERE / "report.schema.json").read_text("utf-8")))
