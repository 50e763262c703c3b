"""The JSON schema of the events' detail: `python -m docs.event_schema` writes operation_event.schema.json."""

import json
from pathlib import Path

from utils.report.event_detail import OperationDetail

FILE = Path(__file__).with_name("operation_event.schema.json")


def event_schema() -> str:
    """Return the schema of `detail`, from the model that the code sends."""
    return json.dumps(OperationDetail.model_json_schema(mode="serialization"), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(event_schema())
