"""The JSON Schema of a request, for editors: `python -m docs` writes docs/request.schema.json."""

import json
from pathlib import Path
from typing import Any

from utils.request.model import RestoreRequest

FILE = Path(__file__).with_name("request.schema.json")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def request_schema() -> str:
    """Return the schema of what a person writes: nothing is required that the stack can give."""
    schema: dict[str, Any] = RestoreRequest.model_json_schema()
    schema.pop("required")
    for name, of_the_stack in (("Source", ("cluster_id", "region")), ("Target", ("cluster_id",))):
        model = schema["$defs"][name]
        model["required"] = [field for field in model["required"] if field not in of_the_stack]
        if not model["required"]:
            del model["required"]
    schema["properties"]["resume"] = {
        "type": "string",
        "description": "Operation id of a run that failed and goes on; with no other field beside it.",
    }
    return json.dumps({"$schema": _DIALECT} | schema, indent=2, ensure_ascii=False) + "\n"
