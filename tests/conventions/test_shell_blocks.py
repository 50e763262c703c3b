"""No command of the documentation is left untried in silence: a block is run, or says why not."""

import pytest

from tests.shell_blocks import DOCUMENTS, blocks_of, shell_blocks


def test_a_block_has_its_section_its_line_and_its_reason() -> None:
    text = """# Guide
## First
```sh
./one
```
1. In a list
   <!-- not run: it costs money -->
   ```bash
   ./two \\
     --more
   ```
"""
    one, two = blocks_of("guide.md", text)
    assert (one.section, one.line, one.commands, one.reason) == ("First", 3, "./one\n", None)
    assert (two.section, two.line, two.commands, two.reason) == ("First", 8, "./two \\\n  --more\n", "it costs money")
    assert str(two) == "guide.md:8"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("```\n./one\n```", "guide.md:1: a block of no language"),
        ("```console\n$ ./one\n```", "guide.md:1: a block of console"),
        ("~~~sh\n./one\n~~~", "guide.md:1: a block of ~~~sh"),
        ("<!-- not run: too dear -->\n```json\n{}\n```", "guide.md:2: a block of json, expected one of bash, sh"),
        (
            "<!-- not run: too dear -->\n\n```sh\n./one\n```",
            "guide.md:2: expected a shell block right after its reason",
        ),
        ("<!-- not run: -->\n```sh\n./one\n```", "guide.md:1: expected <!-- not run: REASON -->"),
        ("<!-- not run: too dear -->", "guide.md:1: a reason at the end of the file"),
        ("```sh\n./one\n", "guide.md:1: a block that is not closed"),
    ],
)
def test_what_would_be_left_out_in_silence_is_an_error(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="^" + named.replace(".", r"\.")):
        list(blocks_of("guide.md", text))


def test_what_is_not_run_is_known() -> None:
    not_run = {
        f"{block.path}: {block.commands.splitlines()[0].split(' --')[0].split('  ')[0]}"
        for path in DOCUMENTS
        for block in shell_blocks(path)
        if block.reason is not None
    }
    assert not_run == {
        "CONTRIBUTING.md: ./test.sh",
        "README.md: ./local.sh",
        "README.md: ./local.sh down",
        "README.md: ./restore.sh resume nightly-2026-11-22",
        "docs/01_prerequisites.md: ./deploy.sh bootstrap",
        "docs/01_prerequisites.md: aws cloudformation deploy",
        "docs/01_prerequisites.md: aws rds copy-db-cluster-snapshot",
        "docs/04_production_deployment.md: ./deploy.sh deploy",
    }
