"""The blocks of a guide, in their order: commands as a reader types them, and files as a reader saves them."""

import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guides" / "targets.md"


@dataclass
class Section:
    """A part of the guide, without the parts below it."""

    title: str
    prose: str
    commands: list[str]
    files: list[str]

    def file(self, beginning: str) -> str:
        """The one YAML block that begins so."""
        (found,) = [text for text in self.files if text.startswith(beginning)]
        return found


def sections() -> dict[str, Section]:
    """Every part of the guide by its title."""
    found, title, fence = {}, "", None
    block: list[str] = []
    for line in GUIDE.read_text().splitlines():
        if fence is None and (heading := re.fullmatch(r"#+ (.*)", line)):
            title = heading[1]
            found[title] = Section(title, "", [], [])
        elif fence is None and line.startswith("```"):
            fence, block = line.removeprefix("```"), []
        elif fence is None:
            found[title].prose += f"{line}\n"
        elif line == "```":
            if fence == "console":
                found[title].commands += commands(block)
            elif fence == "yaml":
                found[title].files.append("\n".join(block) + "\n")
            fence = None
        else:
            block.append(line)
    return found


def commands(lines: list[str]) -> list[str]:
    """Commands follow `$ `; a line that ends with a backslash goes on in the next one."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append(line.removeprefix("$ "))
        elif found and found[-1].endswith("\\"):
            found[-1] += f"\n{line}"
        else:
            raise SystemExit(f"FAILED: a console block of the guide has a line that is no command: {line!r}")
    return found


def alternative(command: str) -> str:
    """The command that a comment offers instead."""
    offered = re.search(r"# or: (.*)$", command)
    if not offered:
        raise SystemExit(f"FAILED: the guide offers nothing instead of {command!r}")
    return offered[1]
