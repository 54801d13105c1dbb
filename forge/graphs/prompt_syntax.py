"""Warns about prompt syntax that ComfyUI does not support, and about embeddings that are not installed.

ComfyUI drops an unknown embedding, and reads the syntax of other programs as words. Neither is an error.

Sources of the rules: ComfyUI's comfy/sd1_clip.py for embeddings; the prompt syntax of AUTOMATIC1111's web UI
for `<lora:...>`, BREAK, AND, `[a|b]` and `[a:b:0.5]`; that of the Dynamic Prompts extension for `__name__`
and `{a|b}`. ComfyUI's frontend supports only `{a|b}`.
"""

from __future__ import annotations

import posixpath
import re
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..spec.warning import GenerationWarning, WarningCode, make_warning, without_repeats

MOST = 20  # warnings about the texts of one generation
MORE = make_warning(
    "more_prompt_syntax",
    f"There is more in the words that ComfyUI does not read as it is meant; the first {MOST} are listed.",
    count=MOST,
)
_LONGEST = 60  # characters quoted from a text
_AS_WORDS = "it is read as words"

_NETWORKS = {"lora": "LoRA", "lyco": "LyCORIS", "hypernet": "hypernetwork"}
_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^<>:\n]{1,250})(?::[^<>\n]{0,250})?>", re.IGNORECASE)
_KEYWORD = re.compile(r"(?<![\w'&-])(?:BREAK|AND)(?![\w'&-])")
_WILDCARD = re.compile(r"(?<!\w)__(?:[^\W_][\w/*.-]{0,98}?|\*{1,2})__(?!\w)")
# A name ends at a space, a bracket of a weight, or the start of other syntax.
_EMBEDDING = re.compile(r"(?<![A-Za-z0-9_])(embedding:)(\s*)((?:[^\s()<\[\\]|\\[()]?)*)", re.IGNORECASE)
_EXTENSIONS = (".safetensors", ".pt", ".bin")  # ComfyUI tries them for a name without a file
_WEIGHT = re.compile(r":[-+]?\d*\.?\d+$")
_NUMBER = re.compile(r"\s*\d*\.?\d+\s*")
_MARK = re.compile(r"\\.|[\[\]{}|:]", re.DOTALL)
_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class _Found:
    """A finding at character `at` of a text. Findings with equal keys give one warning."""

    at: int
    key: object
    warning: GenerationWarning


def prompt_warnings(
    texts: Iterable[str | None], embeddings: Collection[str] | None, *, platform: str = sys.platform
) -> tuple[GenerationWarning, ...]:
    """One warning per distinct finding in the texts, in their order; at most MOST, and one that says there
    is more.

    `embeddings` are the files in ComfyUI's embeddings folders, as relative paths; None if they are unknown.
    `platform` decides whether file names ignore case and whether `\\` equals `/`.
    """
    found = _all_warnings(texts, embeddings, platform)
    return tuple(found if len(found) <= MOST else [*found[:MOST], MORE])


def refresh_warnings(
    earlier: Sequence[GenerationWarning], texts: Sequence[str | None], embeddings: Collection[str] | None
) -> list[GenerationWarning]:
    """The earlier warnings of a generation, with those about its texts replaced by current ones."""
    current = prompt_warnings(texts, embeddings)
    possible = [*_all_warnings(texts, None if embeddings is None else (), sys.platform), MORE, *current]
    outdated = {warning.detail for warning in possible}
    return [*(warning for warning in earlier if warning.detail not in outdated), *current]


def _all_warnings(
    texts: Iterable[str | None], embeddings: Collection[str] | None, platform: str
) -> list[GenerationWarning]:
    warnings: dict[object, GenerationWarning] = {}
    for text in filter(None, texts):
        found = [*_networks(text), *_keywords(text), *_brackets(text), *_wildcards(text)]
        if embeddings is not None:
            found += _embeddings(text, embeddings, platform)
        for finding in sorted(found, key=lambda finding: finding.at):
            warnings.setdefault(finding.key, finding.warning)
    return list(without_repeats(warnings.values()))


def _found(at: int, code: WarningCode, quoted: str, sentence: str, key: object = None) -> _Found:
    shown = " ".join(quoted[: _LONGEST * 4].split())
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    return _Found(at, key or quoted, make_warning(code, f"'{shown}': {sentence}.", text=shown))


def _networks(text: str) -> Iterator[_Found]:
    for network in _NETWORK.finditer(text):
        kind, name = network[1].lower(), network[2].strip()
        sentence = f"no {_NETWORKS[kind]} is loaded from the words of a prompt; {_AS_WORDS}"
        yield _found(network.start(), "network_in_prompt", network[0], sentence, (kind, name))


def _keywords(text: str) -> Iterator[_Found]:
    for keyword in _KEYWORD.finditer(text):
        before = re.search(
            r"[\w'-]{1,40}(?=[ \t]{0,9}$)", text[max(0, keyword.start() - 50) : keyword.start()]
        )
        after = re.match(r"[ \t]{0,9}([\w'-]{1,40})", text[keyword.end() : keyword.end() + 50])
        neighbours = [word for word in (before and before[0], after and after[1]) if word]
        # Between words in capitals it is an ordinary word: WANTED DEAD AND ALIVE.
        if not (any(len(word) > 1 for word in neighbours) and all(word.isupper() for word in neighbours)):
            sentence = "ComfyUI has no such keyword; it is read as a word"
            yield _found(keyword.start(), "keyword_in_prompt", keyword[0], sentence)


def _wildcards(text: str) -> Iterator[_Found]:
    for wildcard in _WILDCARD.finditer(text):
        at = wildcard.start()
        yield _found(at, "wildcard_in_prompt", wildcard[0], f"no wildcards are filled in; {_AS_WORDS}")


@dataclass
class _Open:
    """A bracket that is not closed yet, and what it contains so far."""

    at: int
    mark: str
    bar: bool = False
    words: bool = False
    letters: bool = False
    last_colon: int = -1


def _brackets(text: str) -> Iterator[_Found]:
    """`[a|b]`, `[a:b:0.5]` and `{a|b}`; of nested ones only the outermost. A backslash escapes a mark."""
    found: list[tuple[int, _Found]] = []
    opened: list[_Open] = []
    at = 0
    for mark in _MARK.finditer(text):
        if opened:
            opened[-1].words |= bool(_WORD.search(text, at, mark.start()))
            opened[-1].letters |= bool(_LETTER.search(text, at, mark.start()))
        at = mark.end()
        if mark[0] in "[{":
            opened.append(_Open(mark.start(), mark[0]))
        elif not opened:
            continue
        elif mark[0] == "|":
            opened[-1].bar = True
        elif mark[0] == ":":
            opened[-1].last_colon = mark.start()
        elif mark[0] == ("]" if opened[-1].mark == "[" else "}"):
            closed = opened.pop()
            if opened:
                opened[-1].words |= closed.words
                opened[-1].letters |= closed.letters
            meaning = _bracket_meaning(text, closed, mark.start())
            if meaning:
                code, sentence = meaning
                while found and found[-1][1].at > closed.at:
                    found.pop()
                found.append((at, _found(closed.at, code, text[closed.at : at][:1000], sentence)))
    return (finding for _, finding in found)


def _bracket_meaning(text: str, bracket: _Open, end: int) -> tuple[WarningCode, str] | None:
    if bracket.bar and bracket.words:
        if bracket.mark == "[":
            return "alternation_in_prompt", f"ComfyUI does not alternate between words; {_AS_WORDS}"
        return "choice_in_prompt", f"only ComfyUI's editor chooses one of these; {_AS_WORDS}"
    # Without letters it is a ratio or a time of day.
    scheduled = bracket.mark == "[" and bracket.letters and bracket.last_colon >= 0
    if scheduled and _NUMBER.fullmatch(text, bracket.last_colon + 1, end):
        return "schedule_in_prompt", f"ComfyUI does not change words during the steps; {_AS_WORDS}"
    return None


def _embeddings(text: str, installed: Collection[str], platform: str) -> Iterator[_Found]:
    names: frozenset[str] | None = None
    for mention in _EMBEDDING.finditer(text):
        at, name = mention.start(), mention[3]
        if text[mention.end() : mention.end() + 1] == ")":
            name = _WEIGHT.sub("", name)
        name = name.strip(",")
        what = f"{mention[1]}{name}"
        if mention[1] != "embedding:" or not (at == 0 or text[at - 1].isspace() or text[at - 1] in "()"):
            # ComfyUI does not read this as syntax; followed by a space it is an ordinary word.
            if name and not mention[2]:
                sentence = f"write it in lower case, after a space; {_AS_WORDS}"
                yield _found(at, "malformed_embedding", what, sentence)
            continue
        if not name:
            yield _found(at, "unnamed_embedding", what, "the name of an embedding is missing")
            continue
        names = _usable_names(installed, platform) if names is None else names
        if _fold(name, platform) not in names:
            sentence = "no such embedding is installed, so ComfyUI leaves it out"
            yield _found(at, "unknown_embedding", what, sentence)


def _usable_names(installed: Collection[str], platform: str) -> frozenset[str]:
    """All names by which ComfyUI finds these files: it looks in every subfolder and adds some extensions."""
    names: set[str] = set()
    for file in installed:
        parts = _fold(file.replace("\\", "/") if platform == "win32" else file, platform).split("/")
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            names.add(name)
            names.update(name.removesuffix(extension) for extension in _EXTENSIONS)
    return frozenset(names)


def _fold(name: str, platform: str) -> str:
    if platform == "win32":
        name = name.replace("\\", "/")
    if platform in ("win32", "darwin"):
        name = unicodedata.normalize("NFC", name).lower()
    return posixpath.normpath(name)
