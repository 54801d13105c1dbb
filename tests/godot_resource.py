r"""A strict parser of Godot 4's text resources and scenes.

The grammar, from "TSCN file format" of Godot's documentation (contributing/development/file_formats/tscn) and
from VariantParser in core/variant/variant_parser.cpp:

    file        = heading ("gd_resource" | "gd_scene") { heading ("ext_resource") }
                  { heading ("sub_resource") assignments } ( heading ("resource") assignments
                  | heading ("node") assignments { heading ("node") assignments } )
    heading     = "[" NAME { NAME "=" value } "]"
    assignments = { NAME "=" value }
    value       = "null" | "true" | "false" | INT | FLOAT | STRING | "&" STRING | "^" STRING
                | "[" [ value { "," value } ] "]" | "{" [ pair { "," pair } ] "}"
                | NAME "(" [ value { "," value } ] ")"
    pair        = value ":" value
    STRING      = '"' { any character but '"' and "\" | "\" character } '"'

What the parser of Godot forgives is an error here: an id that was not declared before, a wrong `load_steps`,
a resource that nothing uses, a comma at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<float>-?\d+\.\d+(?:e[+-]?\d+)?)|(?P<int>-?\d+)|(?P<mark>[&^])?"(?P<string>(?:[^"\\]|\\.)*)"
    |(?P<name>[A-Za-z_][A-Za-z0-9_/]*)|(?P<sign>[\[\]{}(),:=]))""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Call:
    """A constructor, such as Rect2(0, 0, 1, 1)."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class StringName:
    text: str


@dataclass
class Section:
    kind: str
    tags: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, Any]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            assert match is not None, text[at : at + 40]
            at = match.end()
            if match["string"] is not None:
                string = re.sub(r"\\(.)", r"\1", match["string"])
                kind = {None: "string", "&": "string name", "^": "node path"}[match["mark"]]
                self.tokens.append((kind, string))
            else:
                kind = str(match.lastgroup)
                convert: Any = {"int": int, "float": float}.get(kind, str)
                self.tokens.append((kind, convert(match[kind])))
        self.at = 0

    @property
    def ahead(self) -> tuple[str, Any]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", None)

    def take(self, kind: str, value: Any = None) -> Any:
        found = self.ahead
        assert found[0] == kind and value in (None, found[1]), (kind, value, found)
        self.at += 1
        return found[1]

    def takes(self, sign: str) -> bool:
        if self.ahead == ("sign", sign):
            self.at += 1
            return True
        return False

    def value(self) -> Any:
        kind, value = self.ahead
        self.at += 1
        if kind in ("int", "float", "string"):
            return value
        if kind == "string name":
            return StringName(value)
        if (kind, value) == ("sign", "["):
            return self.listed("]", self.value)
        if (kind, value) == ("sign", "{"):
            pairs = self.listed("}", self.pair)
            assert len(dict(pairs)) == len(pairs), pairs
            return dict(pairs)
        assert kind == "name", (kind, value)
        if value in ("null", "true", "false"):
            return {"null": None, "true": True, "false": False}[value]
        self.take("sign", "(")
        return Call(value, tuple(self.listed(")", self.value)))

    def pair(self) -> tuple[Any, Any]:
        key = self.value()
        self.take("sign", ":")
        return key, self.value()

    def listed(self, end: str, read: Any) -> list[Any]:
        found: list[Any] = []
        if self.takes(end):
            return found
        while True:
            found.append(read())
            if self.takes(end):
                return found
            self.take("sign", ",")

    def section(self) -> Section:
        self.take("sign", "[")
        section = Section(self.take("name"), {})
        while not self.takes("]"):
            name = self.take("name")
            self.take("sign", "=")
            assert name not in section.tags
            section.tags[name] = self.value()
        while self.ahead[0] == "name":
            name = self.take("name")
            self.take("sign", "=")
            assert name not in section.values
            section.values[name] = self.value()
        return section


@dataclass(frozen=True)
class Resource:
    kind: str
    external: dict[str, Section]
    internal: dict[str, Section]
    main: list[Section]


def parse(text: str) -> Resource:
    """The sections of a .tres or .tscn file. AssertionError for what breaks the grammar."""
    reader = _Reader(text)
    sections = []
    while reader.ahead[0] != "end":
        sections.append(reader.section())
    head, *rest = sections
    assert head.kind in ("gd_resource", "gd_scene") and not head.values
    assert head.tags.pop("format") == 3
    steps = head.tags.pop("load_steps")
    order = {"ext_resource": 0, "sub_resource": 1, "resource": 2, "node": 2}
    kinds = [order[section.kind] for section in rest]
    assert kinds == sorted(kinds)
    external, internal, main = (
        [section for section in rest if order[section.kind] == number] for number in range(3)
    )
    assert steps == len(external) + len(internal) + 1
    used: set[tuple[str, str]] = set()
    declared: set[tuple[str, str]] = set()
    for section in rest:
        used_here = set(_references(section.values))
        assert used_here <= declared, (section, declared)
        used |= used_here
        if section.kind in ("ext_resource", "sub_resource"):
            key = ("ExtResource" if section.kind == "ext_resource" else "SubResource", section.tags["id"])
            assert key not in declared
            declared.add(key)
            wanted = {"type", "path", "id"} if section.kind == "ext_resource" else {"type", "id"}
            assert section.tags.keys() == wanted
            assert not (section.kind == "ext_resource" and section.values)
    assert used == declared
    if head.kind == "gd_resource":
        assert [section.kind for section in main] == ["resource"] and not main[0].tags
        kind = head.tags.pop("type")
    else:
        assert main and main[0].kind == "node" and "parent" not in main[0].tags
        kind = "PackedScene"
    assert not head.tags
    return Resource(
        kind,
        {section.tags["id"]: section for section in external},
        {section.tags["id"]: section for section in internal},
        main,
    )


def _references(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Call) and value.name in ("ExtResource", "SubResource"):
        (reference,) = value.values
        return [(value.name, reference)]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [reference for item in inner for reference in _references(item)]
