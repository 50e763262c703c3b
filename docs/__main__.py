"""Writes every generated part of the documentation: `python -m docs`."""

from docs.generated import GENERATED
from docs.request_schema import FILE, request_schema

for block, text in GENERATED.items():
    block.write(text())
FILE.write_text(request_schema())
