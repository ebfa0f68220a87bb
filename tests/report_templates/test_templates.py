"""The templates and the schema themselves: nothing active in them, nothing from elsewhere, and a schema that is one."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import jsonschema
import pytest

import report_templates

FOLDER = Path(report_templates.__file__).parent
TEMPLATES = sorted(FOLDER.glob("*.j2"))


def test_the_schema_is_valid_and_closed() -> None:
    schema = report_templates.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_active(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<script|\bon\w+=|javascript:|style=|<img|<iframe|<link|https?:|\|\s*safe|autoescape", text, re.IGNORECASE)


def test_the_style_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|https?:|expression", report_templates.stylesheet())


def test_values_are_finalized_then_escaped_and_missing_names_are_errors(tmp_path: Path) -> None:
    (tmp_path / "one.j2").write_text("{{ text }}", "utf-8")
    env = report_templates.environment(lambda value: value.replace("x", "&"), tmp_path)
    assert env.get_template("one.j2").render(text="<x>") == "&lt;&amp;&gt;"
    with pytest.raises(jinja2.UndefinedError):
        env.get_template("one.j2").render()
