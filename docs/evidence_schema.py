"""The JSON schema of report.json: `python -m docs` writes docs/evidence.schema.json."""

import json
from pathlib import Path

from utils.evidence.model import Evidence

FILE = Path(__file__).with_name("evidence.schema.json")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def evidence_schema() -> str:
    """Return the schema, from the model that writes the file."""
    schema = Evidence.model_json_schema(mode="serialization")
    return json.dumps({"$schema": _DIALECT} | schema, indent=2, ensure_ascii=False) + "\n"
