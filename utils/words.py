"""Words for numbers, as people write them, and texts that are safe to print."""

import re
from unicodedata import category

# What a report says is verified without any pipeline.
_RESTORE_SH = re.compile(r"\./restore\.sh (?!verify-report\b)(?:fleet )?[a-z-]+\b")


def printable(text: str) -> str:
    """Return the text with \ufffd for what a terminal obeys: controls, and marks that turn the direction of writing."""
    return "".join("\ufffd" if _commands(character) else character for character in text)


def _commands(character: str) -> bool:
    return character != "\n" and category(character) in {"Cc", "Cf", "Zl", "Zp"}


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 instance`, `2 instances`; `plural` for a noun that takes more than an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def outage(seconds: int | None, uncertainty_seconds: int | None) -> str:
    """Write how long a name did not answer, with how much longer or shorter it may have been: `42 s (± 3 s)`."""
    if seconds is None:
        return "unknown"
    return f"{duration(seconds)} (± {duration(uncertainty_seconds or 0)})"


def duration(seconds: int) -> str:
    """Write seconds as people do: `1 h 05 min`, `20 min 07 s`, `42 s`."""
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 60} min {seconds % 60:02} s" if seconds >= 60 else f"{seconds} s"


def with_options(text: str, options: str) -> str:
    """Return the text with options, such as ` --env staging`, in every command of restore.sh that it names."""
    return _RESTORE_SH.sub(lambda command: command[0] + options, text)


def ends_of_commands(text: str) -> list[int]:
    """Return where the options of the commands of restore.sh belong that a text names."""
    return [command.end() for command in _RESTORE_SH.finditer(text)]
