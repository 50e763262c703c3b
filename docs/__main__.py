"""Writes every generated part of the documentation: `python -m docs`."""

from docs import evidence_schema, request_schema
from docs.generated import GENERATED

for block, text in GENERATED.items():
    block.write(text())
request_schema.FILE.write_text(request_schema.request_schema())
evidence_schema.FILE.write_text(evidence_schema.evidence_schema())
