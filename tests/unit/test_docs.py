"""The documentation names what exists, and what exists is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatarforge.forge.settings import Settings
from avatarforge.routes import ENDPOINTS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))
)
LONGEST_README = 150  # lines: a landing page
#: Pages for contributors, which name files of the code.
CODE_PAGES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/decisions.md", "docs/glossary.md")
CODE_FOLDERS = "avatarforge_nodes|db|docs|example_workflows|forge|host|locales|routes|tests|web"
#: Patterns, and files that recipes tell contributors to create.
PLACEHOLDER = re.compile(r"[<>*]|NNNN|_x\.|/x\.")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The ids that GitHub gives to the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def links(page: str) -> Iterator[str]:
    """The relative links and pictures of a page."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(read(page))):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    source = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    written = set(re.findall(r"def (test_\w+)", "\n".join(source.values())))
    files = {path.name for path in source}
    named = set(re.findall(r"test_\w+(?:\.py)?", text))
    assert named
    assert {name for name in named if name not in (files if name.endswith(".py") else written)} == set()


def test_the_pages_name_a_test_for_each_of_the_acceptance_checks() -> None:
    pages = [(ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("security.md", "reliability.md")]
    rows = [
        int(number) for page in pages for number in re.findall(r"^\| ([0-9]+)\.? .*test_", page, re.MULTILINE)
    ]
    assert sorted(set(rows)) == list(range(1, 23))


def test_the_readme_is_a_landing_page() -> None:
    assert len(read("README.md").splitlines()) <= LONGEST_README


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, new = set(), {"README.md"}
    while new:
        found |= new
        targets = {(ROOT / page).parent / link.partition("#")[0] for page in new for link in links(page)}
        names = {path.resolve().relative_to(ROOT.resolve()).as_posix() for path in targets if path.is_file()}
        new = {name for name in names if name in PAGES} - found
    assert found == set(PAGES)


def test_every_setting_is_in_the_configuration_with_its_default_and_range() -> None:
    rows = {}
    for row in re.findall(r"^\| `[A-Z_]+` \|.*$", read("docs/configuration.md"), re.MULTILINE):
        name, default, span = (cell.strip(" `") for cell in row.split("|")[1:4])
        rows[name] = (default, span)
    assert [name.lower() for name in rows] == list(Settings.model_fields)
    for name, (default, span) in rows.items():
        field = Settings.model_fields[name.lower()]
        bounds = {type(rule).__name__: rule for rule in field.metadata}
        if "Ge" in bounds:
            low, high = (eval_number(part) for part in re.findall(r"[0-9^]+", span)[:2])
            assert (low, high) == (bounds["Ge"].ge, bounds["Le"].le), name
            if field.default:
                assert default.split()[0] == str(field.default), name
        elif field.annotation is bool:
            assert (default, span) == (str(field.default).lower(), "true, false"), name


def eval_number(text: str) -> int:
    """A whole number, or a power such as 2^60."""
    base, _, exponent = text.partition("^")
    number: int = int(base) ** int(exponent or 1)
    return number


def test_every_endpoint_is_in_the_documentation_of_the_api() -> None:
    text = read("docs/api.md") + read("docs/live.md")
    rows = re.findall(r"^\| ([A-Z]+) \| ([^|]+) \|", text, re.MULTILINE)
    documented = {
        (method, re.sub(r"\?.*", "", path))
        for method, cell in rows
        for path in re.findall(r"`([^`]+)`", cell)
    }
    served = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    assert served - documented == set()
    assert documented - served == {("GET", "/")}  # the panel, which is no endpoint of the API


@pytest.mark.parametrize("page", CODE_PAGES)
def test_every_file_that_a_page_for_contributors_names_exists(page: str) -> None:
    named = {
        path
        for path in re.findall(rf"`((?:{CODE_FOLDERS})/[^`\s]*|\w+\.(?:py|md|toml))`", read(page))
        if not PLACEHOLDER.search(path)
    }
    assert named
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert missing == []
