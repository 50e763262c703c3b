"""Writes every generated part of the documentation: `python -m docs`."""

from docs.generated import GENERATED

for block, text in GENERATED.items():
    block.write(text())
