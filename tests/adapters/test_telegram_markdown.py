"""What becomes of the model's Markdown: parts that Telegram takes, with every word in its place."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters import telegram_parts
from adapters.telegram_markdown import TelegramMarkdown
from adapters.telegram_parts import split
from adapters.telegram_text import from_units, to_units
from application.ports import Markdown
from domain.effects import Entity, Part

MARKDOWN: Markdown = TelegramMarkdown()
FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇷🇺"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def covered(part: Part, entity: Entity) -> str:
    return from_units(to_units(part.text)[entity.offset : entity.offset + entity.length])


def text_of(parts: Sequence[Part]) -> str:
    return "\n".join(part.text for part in parts)


def styles(text: str) -> list[tuple[str, str]]:
    (part,) = MARKDOWN.render(text)
    return [(entity.type, covered(part, entity)) for entity in part.entities]


def check(parts: Sequence[Part], limit: int = 4096) -> None:
    """What Telegram asks of every message."""
    for part in parts:
        assert 1 <= units(part.text) <= limit
        assert part.text == part.text.strip()
        assert json.loads(json.dumps(part.text).encode()) == part.text
        part.text.encode()
        assert len(part.entities) <= 100
        for entity in part.entities:
            assert entity.offset >= 0
            assert entity.length > 0
            assert entity.offset + entity.length <= units(part.text)
            covered(part, entity).encode()


# -- the conversion


def test_plain_text_stays_as_it_is() -> None:
    text = "Hello, world: 2 * 2 = 4.\nSecond line; and so on…\n\nThird paragraph 👍"
    assert MARKDOWN.render(text) == (Part(text),)


def test_entities_of_every_kind() -> None:
    assert styles("**b** *i* ~~s~~ `c` ||p|| [l](https://a.example)") == [
        ("bold", "b"),
        ("italic", "i"),
        ("strikethrough", "s"),
        ("code", "c"),
        ("spoiler", "p"),
        ("text_link", "l"),
    ]
    assert styles("# Title\n\ntext") == [("underline", "Title"), ("bold", "Title")]
    assert styles("> quoted\n\ntext") == [("blockquote", "quoted")]


def test_offsets_count_utf16_units() -> None:
    (part,) = MARKDOWN.render(f"{FAMILY} **жирный** 👍 `код`")
    assert part.text == f"{FAMILY} жирный 👍 код"
    assert part.entities == (Entity("bold", 12, 6), Entity("code", 22, 3))


def test_a_code_block_keeps_its_language_and_its_lines() -> None:
    (part,) = MARKDOWN.render("So:\n\n```python title=a\ndef f():\n    return 1\n```\n")
    assert part.text == "So:\n\ndef f():\n    return 1"
    assert part.entities == (Entity("pre", 5, 21, language="python"),)


def test_nested_lists_and_tables_are_readable_text() -> None:
    text = "1. one\n   - two\n     - [ ] three\n2. four\n\n| a | b |\n|---|---|\n| 1 | 22 |\n"
    (part,) = MARKDOWN.render(text)
    lists = "1. one\n  • two\n    ☐ three\n2. four\n\n"
    assert part.text == lists + "a | b \n--+---\n1 | 22"


def test_formulas_become_unicode_and_prices_stay() -> None:
    (part,) = MARKDOWN.render(r"It is \(\frac{a}{b}\), $\alpha^2$; from $5 to $7.")
    assert part.text == "It is a/b, α²; from $5 to $7."


def test_right_to_left_text() -> None:
    text = "שלום עולם **מודגש** مرحبا"
    (part,) = MARKDOWN.render(text)
    assert part.text == "שלום עולם מודגש مرحبا"
    assert [covered(part, entity) for entity in part.entities] == ["מודגש"]


def test_html_is_text_unless_it_is_mere_formatting() -> None:
    text = "List<String> <b>bold</b>\n\n<div>\n  <p>hello</p>\n</div>\n\nline<br>next <!-- note -->"
    (part,) = MARKDOWN.render(text)
    words = "List<String> bold\n\n<div>\n<p>hello</p>\n</div>\n\nline\nnext <!-- note -->"
    assert part.text == words


def test_html_inside_code_and_tables() -> None:
    (part,) = MARKDOWN.render("`<a>`\n\n```html\n<div>\n<br>\n```\n\n|a|b|\n|-|-|\n|x<br>y|<T>|\n")
    assert part.text == "<a>\n\n<div>\n<br>\n\na   | b  \n----+----\nx y | <T>"


def test_a_link_around_code_stays_a_link() -> None:
    (part,) = MARKDOWN.render("[`code`](https://a.example)")
    assert part.entities == (Entity("text_link", 0, 4, url="https://a.example"),)


def test_a_quote_inside_a_quote_is_one_quote() -> None:
    assert [kind for kind, _ in styles(">>> a\n>> b\n> c")] == ["blockquote"]


def test_a_custom_emoji_is_its_plain_text() -> None:
    (part,) = MARKDOWN.render("![👍](tg://emoji?id=5368324170671202286) ok")
    assert part == Part("👍 ok")


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t \r\n", " " * 60_000, "\u200b" * 5000, "\x00\ufeff"]
)
def test_blank_text_is_nothing(text: str) -> None:
    assert MARKDOWN.render(text) == ()


@pytest.mark.parametrize("text", ["```", "> >", "[a]: b", "- - -\u200b", "<tg-spoiler>"])
def test_markup_with_nothing_in_it_is_sent_as_written(text: str) -> None:
    check(MARKDOWN.render(text))
    assert MARKDOWN.render(text) != ()


def test_null_and_lone_surrogates_are_mended() -> None:
    assert MARKDOWN.render("a\x00b \ud800c **d\udfff**") == (
        Part("a b \ufffdc d\ufffd", (Entity("bold", 7, 2),)),
    )


def test_text_that_the_converter_cannot_take_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    class RustPanic(BaseException):
        pass

    def panic(*args: object, **options: object) -> None:
        raise RustPanic

    monkeypatch.setattr("adapters.telegram_markdown.convert", panic)
    assert MARKDOWN.render(" **a** ") == (Part("**a**"),)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "\\[" * 30_000,
        "$1" * 30_000,
        "[" * 60_000,
        ">" * 60_000,
        "||a" * 20_000,
        "<div>\n" * 10_000,
        "*" * 30_000 + "a" + "*" * 30_000,
        "|" + "a" * 30_000 + "|\n|-|\n" + "|b|\n" * 5000,
        "$" + "\\frac{" * 9000 + "$",
        "word **bold** " * 30_000,
    ],
    ids=lambda text: text[:8],
)
def test_a_reply_made_to_hurt_costs_little(text: str) -> None:
    parts = MARKDOWN.render(text)
    check(parts)
    assert parts


# -- the cuts


def test_a_part_ends_at_a_line_where_one_is_in_reach() -> None:
    parts = MARKDOWN.render("a" * 100 + "\n" + "b " * 1000 + "\n" + "c " * 1500)
    assert [part.text[0] + part.text[-1] for part in parts] == ["ab", "cc"]


def test_a_part_ends_at_a_space_where_the_last_line_ends_too_early() -> None:
    parts = MARKDOWN.render("Title\n\n" + "word " * 3000)
    assert [len(part.text) for part in parts] == [4096, 4094, 4094, 2719]
    assert text_of(parts).split() == ["Title", *["word"] * 3000]


def test_a_long_word_is_cut_between_characters() -> None:
    parts = MARKDOWN.render("x" * 10_000)
    assert [len(part.text) for part in parts] == [4096, 4096, 1808]


@pytest.mark.parametrize("character", ["👍", FAMILY, FLAG, "e\u0301", "👍🏽", "❤️", "नि"])
@pytest.mark.parametrize("before", ["", "x", "xx", "xxx"])
def test_an_emoji_is_never_cut(character: str, before: str) -> None:
    text = before + character * 3000
    parts = MARKDOWN.render(text)
    check(parts)
    assert "".join(part.text for part in parts) == text
    assert all(part.text.endswith(character) for part in parts)
    assert all(part.text.startswith(character) for part in parts[1:])


def test_a_code_block_goes_on_in_the_next_part() -> None:
    code = "\n".join(f"line_{number} = {number}" for number in range(600))
    parts = MARKDOWN.render(f"Before\n\n```py\n{code}\n```\n\nAfter")
    assert len(parts) == 3
    assert [entity.language for part in parts for entity in part.entities] == ["py"] * 3
    seen = [covered(part, entity) for part in parts for entity in part.entities]
    assert "\n".join(seen) == code


def test_a_link_keeps_its_address_in_both_parts() -> None:
    parts = MARKDOWN.render("[" + "word " * 1500 + "](https://a.example)")
    assert len(parts) == 2
    for part in parts:
        (link,) = part.entities
        assert (link.type, link.url, link.offset) == ("text_link", "https://a.example", 0)
        assert link.length == len(part.text)


def test_a_part_ends_before_its_101st_entity() -> None:
    parts = MARKDOWN.render("**bold** word " * 250)
    check(parts)
    assert [len(part.entities) for part in parts] == [100, 100, 50]
    assert text_of(parts).split() == ["bold", "word"] * 250


def test_sixty_thousand_characters() -> None:
    paragraph = (
        "## Part\n\nSome **bold** words, `code` and [a link](https://a.example).\n\n- item\n\n"
    )
    parts = MARKDOWN.render(paragraph * 800)
    check(parts)
    assert len(parts) == 40, "800 paragraphs of five entities, at most 100 in a part"
    once = ["Part", "Some", "bold", "words,", "code", "and", "a", "link.", "•", "item"]
    assert text_of(parts).split() == once * 800


# -- properties

WORDS = st.sampled_from(
    [
        "a",
        "слово",
        "👍",
        FAMILY,
        FLAG,
        "e\u0301",
        "שלום",
        "w" * 30,
        "1.",
        "-",
        "#",
        "&amp;",
        "\u200b",
    ]
)
INLINE = ["**", "*", "_", "~~", "`", "||", "[", "](https://a.example)", "![", "$", "$$x^2$$"]
BLOCKS = ["```\n", "> ", "\n- ", "\n1. ", "\n# ", "|", "\n|-|-|\n", "\n---\n", "\t", "    "]
HTML = ["<b>", "</b>", "<div>", "<br>", "<T>", "<!--", "&#0;"]
ODD = ["\\(", "\\)", "\\", "\x00", "\ud800", "\r\n"]
MARKS = st.sampled_from([*INLINE, *BLOCKS, *HTML, *ODD])
SPACES = st.sampled_from([" ", "\n", "\n\n", "  "])
TEXTS = st.lists(st.one_of(WORDS, MARKS, SPACES), max_size=60).map("".join)


def render(text: str, limit: int) -> tuple[Part, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telegram_parts, "MAX_UNITS", limit)
        return MARKDOWN.render(text)


@settings(max_examples=300)
@given(TEXTS)
@example("**a" + " b" * 40 + "**")
def test_any_markdown_gives_parts_that_telegram_takes(text: str) -> None:
    for limit in (40, 4096):
        parts = render(text, limit)
        check(parts, limit)
        assert render(text, limit) == parts


@settings(max_examples=300)
@given(TEXTS)
def test_words_are_never_lost_or_joined_or_cut(text: str) -> None:
    uncut = render(text, 1_000_000)
    if not any(units(word) > 40 for word in text_of(uncut).split()):
        visible = [word for word in text_of(uncut).split() if word.strip("\u200b")]
        kept = [word for word in text_of(render(text, 40)).split() if word.strip("\u200b")]
        assert kept == visible


@settings(max_examples=200)
@given(st.text(max_size=300), st.integers(2, 40))
def test_any_text_is_whole_when_its_parts_are_joined(text: str, limit: int) -> None:
    mended = text.encode("utf-8", "replace").decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telegram_parts, "MAX_UNITS", limit)
        parts = split(to_units(mended), ())
    assert all(units(part.text) <= limit for part in parts)
    if all(character.isprintable() for character in mended):
        assert "".join(text_of(parts).split()) == "".join(mended.split())


@st.composite
def formatted(draw: st.DrawFn) -> tuple[str, list[Entity]]:
    text = draw(st.text(st.sampled_from(["a", "b", " ", "\n", "👍", "é"]), max_size=200))
    places = [units(text[:end]) for end in range(len(text) + 1)]
    spans = draw(st.lists(st.tuples(st.sampled_from(places), st.sampled_from(places)), max_size=30))
    kinds = ("bold", "italic", "text_link")
    entities = [
        Entity(kinds[number % 3], start, end - start, url=str(number))
        for number, (start, end) in enumerate(spans)
        if end > start
    ]
    return text, sorted(entities, key=lambda e: (e.offset, -e.length))


@settings(max_examples=300)
@given(formatted(), st.integers(3, 60), st.integers(1, 5))
def test_every_letter_keeps_its_entities(
    case: tuple[str, list[Entity]], limit: int, most: int
) -> None:
    """Letters in order carry what they carried before, where no more begin at once than may."""
    text, entities = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telegram_parts, "MAX_UNITS", limit)
        patch.setattr(telegram_parts, "MAX_ENTITIES", most)
        parts = split(to_units(text), entities)
    check(parts, limit)
    assert all(len(part.entities) <= most for part in parts)
    before = _letters(to_units(text), entities)
    after = [letter for part in parts for letter in _letters(to_units(part.text), part.entities)]
    assert [letter for letter, _ in after] == [letter for letter, _ in before]
    if all(len(marks) <= most for _, marks in before):
        assert after == before


def _letters(text: str, entities: Sequence[Entity]) -> list[tuple[str, set[str | None]]]:
    return [
        (unit, {e.url for e in entities if e.offset <= place < e.offset + e.length})
        for place, unit in enumerate(text)
        if not unit.isspace()
    ]
