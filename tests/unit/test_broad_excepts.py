"""What catches every exception says on its line why nothing narrower will do."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("avatarforge_nodes", "db", "forge", "host", "routes")
BROAD = re.compile(r"^\s*except(?: \(?(?:Base)?Exception\b[^:]*)?:(.*)$")


def without_reason(source: str) -> list[str]:
    """The lines that catch everything without a comment of their own. `noqa` alone is no reason."""
    found = [(line, BROAD.match(line)) for line in source.splitlines()]
    return [
        line.strip()
        for line, match in found
        if match and not re.search(r"#(?! noqa: [A-Z0-9, ]+$) \S", match[1])
    ]


def test_each_has_a_reason() -> None:
    files = [*ROOT.glob("*.py"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    found = {
        str(file.relative_to(ROOT)): lines
        for file in files
        if (lines := without_reason(file.read_text("utf-8")))
    }
    assert found == {}


def test_the_check_sees_what_has_none() -> None:
    bare = [
        "except:",
        "    except Exception:",
        "except BaseException as error:",
        "except Exception:  # noqa: BLE001",
    ]
    fine = ["except Exception:  # why", "except Exception:  # noqa: BLE001 - why", "except ValueError:"]
    assert without_reason("\n".join([*bare, *fine])) == [line.strip() for line in bare]
