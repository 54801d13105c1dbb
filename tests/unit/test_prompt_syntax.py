"""What ComfyUI does not read as its user means it is named, once each, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatarforge.forge.graphs.prompt_syntax import MORE, MOST, prompt_warnings, refresh_warnings
from avatarforge.forge.spec.warning import GenerationWarning

INSTALLED = (
    "easynegative.safetensors",
    "bad hands.pt",
    "style/ink_v1.0.bin",
    "style/deep/brush.safetensors",
    "old.ckpt",
    "notes.txt",
    "odd\udcff.pt",
)
NO_LORA = "no LoRA is loaded from the words of a prompt; it is read as words"
NO_LYCORIS = "no LyCORIS is loaded from the words of a prompt; it is read as words"
NO_HYPERNETWORK = "no hypernetwork is loaded from the words of a prompt; it is read as words"
NO_KEYWORD = "ComfyUI has no such keyword; it is read as a word"
NO_ALTERNATION = "ComfyUI does not alternate between words; it is read as words"
NO_SCHEDULE = "ComfyUI does not change words during the steps; it is read as words"
NO_WILDCARD = "no wildcards are filled in; it is read as words"
NO_CHOICE = "only ComfyUI's editor chooses one of these; it is read as words"
NOT_INSTALLED = "no such embedding is installed, so ComfyUI leaves it out"
NO_NAME = "the name of an embedding is missing"
MISPLACED = "write it in lower case, after a space; it is read as words"


def warned(
    *texts: str | None, embeddings: tuple[str, ...] | None = INSTALLED, platform: str = "linux"
) -> list[str]:
    return [item.detail for item in prompt_warnings(texts, embeddings, platform=platform)]


@pytest.mark.parametrize(
    ("text", "named", "sentence"),
    [
        ("a cat <lora:ink:0.8>", "<lora:ink:0.8>", NO_LORA),
        ("<lora:ink>", "<lora:ink>", NO_LORA),
        ("<LORA:my ink v2:0.8:0.5>", "<LORA:my ink v2:0.8:0.5>", NO_LORA),
        ("<lyco:ink:1>", "<lyco:ink:1>", NO_LYCORIS),
        ("<hypernet:ink:1>", "<hypernet:ink:1>", NO_HYPERNETWORK),
        ("a cat BREAK a dog", "BREAK", NO_KEYWORD),
        ("a cat,\nBREAK\na dog", "BREAK", NO_KEYWORD),
        ("a cat AND a dog", "AND", NO_KEYWORD),
        ("1girl AND 1boy :0.5", "AND", NO_KEYWORD),
        ("A AND B", "AND", NO_KEYWORD),
        ("[cat|dog] on a mat", "[cat|dog]", NO_ALTERNATION),
        ("[[cat|dog]|cow]", "[[cat|dog]|cow]", NO_ALTERNATION),
        ("[ [cat|dog]", "[cat|dog]", NO_ALTERNATION),
        ("[cat:dog:0.5]", "[cat:dog:0.5]", NO_SCHEDULE),
        ("[cat:10]", "[cat:10]", NO_SCHEDULE),
        ("[cat::.5]", "[cat::.5]", NO_SCHEDULE),
        ("[(cat:1.2):0.5]", "[(cat:1.2):0.5]", NO_SCHEDULE),
        ("__hair-color__ hair", "__hair-color__", NO_WILDCARD),
        ("__colors/dark_*__", "__colors/dark_*__", NO_WILDCARD),
        ("a {red|blue} hat", "{red|blue}", NO_CHOICE),
        ("a {red|{dark|light} blue} hat", "{red|{dark|light} blue}", NO_CHOICE),
        ("{1|2}girls", "{1|2}", NO_CHOICE),
        ("{2$$a|b}", "{2$$a|b}", NO_CHOICE),
        ("embedding:nope", "embedding:nope", NOT_INSTALLED),
        ("a, embedding:nope, b", "embedding:nope", NOT_INSTALLED),
        ("(embedding:nope:1.2)", "embedding:nope", NOT_INSTALLED),
        ("((a), embedding:nope)", "embedding:nope", NOT_INSTALLED),
        ("embedding:style/nope", "embedding:style/nope", NOT_INSTALLED),
        ("embedding: nope", "embedding:nope", NOT_INSTALLED),
        ("embedding:old", "embedding:old", NOT_INSTALLED),
        ("embedding:easynegative.pt", "embedding:easynegative.pt", NOT_INSTALLED),
        ("embedding:EasyNegative", "embedding:EasyNegative", NOT_INSTALLED),
        ("embedding:style\\ink_v1.0", "embedding:style\\ink_v1.0", NOT_INSTALLED),
        ("embedding:a,embedding:b", "embedding:a,embedding:b", NOT_INSTALLED),
        ("embedding:easynegative.", "embedding:easynegative.", NOT_INSTALLED),
        ("embedding:", "embedding:", NO_NAME),
        ("(embedding:)", "embedding:", NO_NAME),
        ("a cat,embedding:easynegative", "embedding:easynegative", MISPLACED),
        ("a Embedding:easynegative", "Embedding:easynegative", MISPLACED),
    ],
)
def test_what_is_not_read_as_it_is_meant_is_named(text: str, named: str, sentence: str) -> None:
    assert warned(text) == [f"'{named}': {sentence}."]


@pytest.mark.parametrize(
    "text",
    [
        "a knight and a dragon, band, ANDROID, SANDAL, Andes, breakfast, BREAKDANCE, Break dance",
        "WANTED DEAD AND ALIVE",
        "A CAT AND A DOG",
        "BREAK DANCE, hip hop",
        "R&B, rock-AND-roll",
        "(blue eyes:1.2), ((smile)), (a:0.5), \\(vocaloid\\), :) ;) :D",
        "[",
        "]",
        "a [ b",
        "[blurry], [[low quality]]",
        "[16:9]",
        "[]",
        "[:]",
        "[|]",
        "a | b",
        "[see: below]",
        "{",
        "{}",
        "{a}",
        "{|}",
        "{a: 1, b: 2}",
        "}a|b{",
        "\\[cat|dog\\]",
        "\\{cat|dog\\}",
        "__",
        "____",
        "a__b",
        "_a_",
        "__init",
        "snake__case__name",
        "^__^",
        "o__o",
        "<3",
        "< lora >",
        "a <b> c",
        "lora: 0.8",
        "<lora>",
        "<o>_<o>",
        "||_||",
        "->",
        "<lora:",
        "embeddings, word embeddings: many, myembedding:x, Embedding: a study",
        "embedding:easynegative",
        "embedding:easynegative.safetensors",
        "embedding:easynegative,",
        "(embedding:easynegative:1.2), b",
        "((embedding:easynegative))",
        "a\nembedding:easynegative",
        "embedding: easynegative",
        "embedding:./easynegative",
        "embedding:old.ckpt",
        "embedding:ink_v1.0, embedding:style/ink_v1.0, embedding:style/ink_v1.0.bin",
        "embedding:brush embedding:deep/brush embedding:style/deep/brush.safetensors",
        "embedding:easynegative<3",
        "embedding:easynegative[x]",
        "",
        "   ",
    ],
)
def test_what_comfyui_reads_as_it_is_meant_is_not_named(text: str) -> None:
    assert warned(text) == []


def test_every_thing_is_named_once_and_in_its_order() -> None:
    prompt, style = "<lora:ink:0.8> AND {a|b} AND", "AND <lora:ink:0.5>, <lora:paint:1>"
    found = warned(prompt, None, style, "embedding:no embedding:no")
    assert [warning.split("'")[1] for warning in found] == [
        "<lora:ink:0.8>",
        "AND",
        "{a|b}",
        "<lora:paint:1>",
        "embedding:no",
    ]


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_names_are_compared_as_the_file_system_does(platform: str) -> None:
    assert warned("embedding:EasyNegative", platform=platform) == []


def test_both_separators_are_one_on_windows() -> None:
    installed = ("style\\Ink.PT",)
    for name in ("style/ink", "style\\ink", "ink", "STYLE\\INK.pt"):
        assert warned(f"embedding:{name}", embeddings=installed, platform="win32") == []


def test_nothing_is_said_of_embeddings_where_the_folder_could_not_be_read() -> None:
    assert warned("embedding:nope", embeddings=None) == []


def test_names_are_shortened_and_on_one_line() -> None:
    (warning,) = warned("<lora:" + "long\tname " * 15 + ":1>")
    name = warning.split("'")[1]
    assert name.startswith("<lora:long name long name")
    assert name.endswith("…")
    assert len(name) == 61


def test_the_list_is_bounded() -> None:
    found = warned(" ".join(f"<lora:x{number}:1>" for number in range(300)))
    assert len(found) == MOST + 1
    assert found[-1] == MORE.detail


def test_a_retry_gets_the_warnings_that_hold_now() -> None:
    texts = ["embedding:a embedding:b AND"]
    a, b, keyword = prompt_warnings(texts, ())
    other = GenerationWarning("Something else.")
    earlier = [other, a, b, keyword]
    assert refresh_warnings(earlier, texts, ("a.pt",)) == [other, b, keyword]
    assert refresh_warnings([other], texts, ()) == earlier
    assert refresh_warnings(earlier, texts, None) == [other, a, b, keyword]


@given(st.text(alphabet="[]{}|:\\_<>()1a, \nANDlorembding", max_size=400))
def test_any_text_gets_a_bounded_list_of_different_sentences(text: str) -> None:
    found = warned(text, text)
    assert len(set(found)) == len(found) <= MOST + 1
    assert all("\n" not in item and len(item) < 200 for item in found)


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    nested = "[1:1" * 2_500 + "]" * 2_500
    for text in ("[" * 10_000, nested, "__a" * 3_300, "<lora:" * 1_600, "embedding:" * 1_000):
        warned(text)  # pytest's own timeout bounds it
