"""``report.html``: the document as one page that needs nothing else, no network and no script.

Everything printed goes through ``text.visible`` (the environment's ``finalize``) and is then escaped: a template cannot forget it.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from report_templates import environment, stylesheet
from triage.report import page, wording
from triage.report.page import LONGEST_TEXT
from triage.text import visible


def render(document: dict[str, Any], *, overrides: Path | None = None) -> str:
    """The page for a document of ``document.build``. ``overrides``: a folder of a force's own templates.

    The same document gives the same page. Raises ``jinja2.TemplateError`` where a template of ``overrides`` is wrong.
    """
    from markupsafe import Markup

    env = environment(_finalize, overrides)
    env.filters["number"] = page.number
    style = stylesheet() + _running_header(document)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return env.get_template("report.html.j2").render(
        style=Markup(style),  # our own file, and a header of which nothing but letters and digits is left unescaped
        style_hash="sha256-" + digest,
        **page.model(document),
    )


def _finalize(value: Any) -> Any:
    from markupsafe import Markup

    return visible(value, LONGEST_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _running_header(document: dict[str, Any]) -> str:
    """Page margins in print: the reference and the page number on every sheet."""
    reference = document["visit"].get("reference") or document.get("case_id") or ""
    left = visible(f"Device triage report · {reference}" if reference else "Device triage report", 90)
    return (
        "\n@page { size: A4; margin: 18mm 15mm 16mm; "
        f'@top-left {{ content: "{_css_string(left)}"; font: 8pt Arial, sans-serif; }} '
        f'@top-right {{ content: "{_css_string(wording.OUTCOMES[document["assessment"]["outcome"]])}"; font: 8pt Arial, sans-serif; }} '
        f'@bottom-left {{ content: "{_css_string(wording.DECISION)}"; font: 8pt Arial, sans-serif; }} '
        '@bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt Arial, sans-serif; } }\n'
    )


def _css_string(text: str) -> str:
    # A name from a visit file stands inside a style sheet here: every character but ASCII letters, digits and blanks becomes \hex.
    return "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in text)
