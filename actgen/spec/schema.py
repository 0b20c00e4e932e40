"""The JSON schema of spec files, for editors: written from the same model that reads the files."""

from __future__ import annotations

import json
from typing import Any

from actgen.spec.tables import SpecTable

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the JSON schema of a spec file."""
    generated = SpecTable.model_json_schema()
    sources = [{"required": ["reference"]}, {"required": ["folklore"], "properties": {"folklore": {"const": True}}}]
    return {"$schema": DIALECT, **generated, "title": "actgen spec", "oneOf": sources}


def schema_text() -> str:
    """Return the JSON schema as the text of `docs/spec.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
