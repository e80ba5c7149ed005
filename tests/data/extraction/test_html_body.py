import pytest

from data.extraction.body_lines import cleaned
from data.extraction.html_body import body_paragraphs, visible
from data.extraction.html_tree import letters, lines_of, parse_html
from tests.data.extraction.made_pages import STORY, page, paragraphs

TITLE = "The bridge is open"
MENU = "<nav>" + "".join(f"<a href='/{n}'>Section {n}</a>" for n in range(20)) + "</nav>"


def _read(html: str, *titles: str) -> list[str]:
    tree = parse_html(html)
    assert tree is not None
    return body_paragraphs(visible(tree), titles or (TITLE,))


@pytest.mark.parametrize(
    "body",
    [
        f"<article><h1>{TITLE}</h1>{paragraphs()}</article>",
        f"{MENU}<div class='article-body'><h2>{TITLE}</h2>{paragraphs()}</div><footer>©</footer>",
        f"<div><p>{'</p><p>'.join(STORY)}</div>",
        f"<div class='story'>{'<br><br>'.join(STORY)}</div>",
        f"<table><tr><td>{MENU}</td><td>{paragraphs()}</td></tr></table>",
        f"<main><div><span>{'</span></div><div><span>'.join(STORY)}</span></div></main>",
        f"<form id='aspnetForm'><div>{paragraphs()}</div></form>",
    ],
)
def test_the_paragraphs_of_a_story_come_out_whole_and_alone(body: str) -> None:
    assert _read(page(body)) == list(STORY)


def test_headings_lists_quotes_and_tables_within_a_story_stay() -> None:
    body = (
        f"<article><h1>{TITLE}</h1><p>{STORY[0]}</p><p>{STORY[1]}</p><h2>What it cost</h2>"
        f"<p>{STORY[3]}</p><ul><li>Steel came from Orrick and was welded here.</li>"
        "<li>Stone came from the old mill on the hill.</li></ul>"
        f"<blockquote><p>{STORY[2]}</p></blockquote>"
        "<table><tr><th>Year</th><th>Cost</th></tr><tr><td>2023</td><td>4</td></tr></table>"
        f"<p>{STORY[4]}</p></article>"
    )
    assert _read(page(body)) == [
        *(STORY[0], STORY[1], "What it cost", STORY[3]),
        "Steel came from Orrick and was welded here.",
        "Stone came from the old mill on the hill.",
        *(STORY[2], "Year\tCost", "2023\t4", STORY[4]),
    ]


POSTS = ("16:42 Ferry stopped", "15:10 Power cuts", "14:30 Gust of 151 km/h")


@pytest.mark.parametrize(
    "post", ["<div class='post'><h2>{}</h2><p>{}</p></div>", "<h2>{}</h2><p>{}"]
)
def test_the_headings_of_a_story_that_goes_on_by_the_hour_stay(post: str) -> None:
    body = "".join(map(post.format, POSTS, STORY))
    assert _read(page(f"<article><h1>{TITLE}</h1>{body}</article>")) == [
        text for pair in zip(POSTS, STORY, strict=False) for text in pair
    ]


def _completed(body: str) -> list[str]:
    """Return what the story's bare paragraphs become with what belongs to them on the page."""
    tree = parse_html(page(f"<h1>{TITLE}</h1><div>{body}</div>"))
    assert tree is not None
    lines = lines_of(tree)
    return cleaned(
        [line for line in lines if line.text in STORY], lines, {letters(TITLE).casefold()}, set()
    )


@pytest.mark.parametrize(
    ("heading", "stays"),
    [
        ("<div><h2>12:00 Ferry</h2><p>{}</p></div>", True),
        ("<div><h3>12:00 Ferry</h3></div><p>{}</p>", False),
        ("<div><h2><a href='/f'>12:00 Ferry</a></h2><p>{}</p></div>", False),
        ("<div><h2>Read more</h2><p>{}</p></div>", False),
        ("<div><p>12:00 Ferry</p><p>{}</p></div>", False),
        ("<div><h2>The bridge is open</h2><p>{}</p></div>", False),
    ],
)
def test_headings_between_parts_stay_where_they_head_a_paragraph(heading: str, stays: bool) -> None:
    body = f"<div><p>{STORY[0]}</p></div>{heading.format(STORY[1])}{paragraphs(*STORY[2:])}"
    assert _completed(body) == [STORY[0], *(["12:00 Ferry"] if stays else []), *STORY[1:]]


def test_a_heading_above_the_first_paragraph_stays_where_others_like_it_follow() -> None:
    parts = [f"<div><h2>Part {n}</h2><p>{text}</p></div>" for n, text in enumerate(STORY)]
    assert _completed("".join(parts))[:2] == ["Part 0", STORY[0]]
    other = parts[0].replace("h2", "h3")
    assert _completed("".join([other, *parts[1:]]))[0] == STORY[0]
    assert _completed("".join(parts[:2]) + paragraphs(*STORY[2:]))[0] == STORY[0]


def test_characters_and_spaces_are_the_page_s_own() -> None:
    text = "He said&nbsp;<b>“no”</b>, <i>twice</i>—and <a href='/x'>left</a>.  * Not #a_ &lt;b&gt;"
    shown = "He said “no”, twice—and left. * Not #a_ <b>"
    assert _read(page(f"<article>{paragraphs(*STORY, text)}</article>"))[-1] == shown


@pytest.mark.parametrize(
    "around",
    [
        "<div class='related'><h3>More</h3><p>The ferry to Skerrin stops for good.</p></div>",
        "<aside><p>The ferry to Skerrin stops for good, its owners say.</p></aside>",
        "<p>Read more: <a href='/f'>The ferry to Skerrin stops for good</a></p>",
        "<p><a href='/f'>The ferry to Skerrin stops for good</a></p>",
        "<p>Sign up for our newsletter to read of the ferry to Skerrin first.</p>",
        "<div id='comments'><p>The ferry to Skerrin is what we need, writes a reader.</p></div>",
        "<p hidden>The ferry to Skerrin stops for good.</p>",
        "<div style='display: none'><p>The ferry to Skerrin stops for good.</p></div>",
        "<script>document.write('The ferry to Skerrin stops for good.')</script>",
        "<figure><img src='x'><figcaption>The ferry to Skerrin. Photo: Roe</figcaption></figure>",
        "<form><p>Tell us of the ferry to Skerrin.</p><input></form>",
    ],
)
def test_what_stands_around_a_story_goes(around: str) -> None:
    body = f"<article><h1>{TITLE}</h1>{paragraphs(*STORY[:3])}{paragraphs(*STORY[3:])}{around}"
    assert _read(page(body)) == list(STORY)


def test_dates_and_labels_above_the_text_go() -> None:
    body = (
        f"<article><p>Local</p><h1>{TITLE}</h1><p>6 May 2024, 08:30</p>"
        f"<p>Updated: 7 May 2024</p>{paragraphs()}</article>"
    )
    assert _read(page(body)) == list(STORY)


def test_a_headline_that_the_story_says_again_stays_within_it() -> None:
    body = f"<article><h1>{TITLE}</h1>{paragraphs(*STORY, f'{TITLE}, and it stays.')}</article>"
    assert _read(page(body))[-1] == f"{TITLE}, and it stays."


def test_a_text_that_stands_loose_before_its_paragraphs_is_not_lost() -> None:
    body = f"<div class='content'>{STORY[0]}<p>{STORY[1]}</p>{paragraphs(*STORY[2:])}</div>"
    assert _read(page(f"<h1>{TITLE}</h1>{body}")) == list(STORY)


def test_another_story_on_the_page_is_not_taken_for_this_one() -> None:
    other = "The ferry to Skerrin stops for good, since its engine broke twice in a single week."
    more = f"<article><h1>The ferry stops</h1>{paragraphs(*[other] * 12)}</article>"
    body = f"<article><h1>{TITLE}</h1>{paragraphs()}</article>{more}"
    assert _read(page(body)) == list(STORY)
    teaser = f"<article><h1>{TITLE}</h1><p>It is open.</p></article>"
    assert _read(page(f"{teaser}<article>{paragraphs()}</article>"))[-5:] == list(STORY)


def test_a_break_within_a_sentence_makes_no_paragraph() -> None:
    text = "The bridge is long<br>and wide and open to all.<br>Buses cross it."
    assert _read(page(f"<article>{paragraphs(*STORY, text)}</article>"))[-2:] == [
        "The bridge is long and wide and open to all.",
        "Buses cross it.",
    ]


def test_a_page_without_a_story_gives_what_text_there_is() -> None:
    assert _read(page("<p>The bridge is not open yet.</p>")) == ["The bridge is not open yet."]
    assert _read(page("")) == []


def test_the_same_page_reads_the_same_again_and_again() -> None:
    html = page(f"<article>{paragraphs()}</article>")
    assert [_read(html) for _ in range(6)] == [list(STORY)] * 6


def test_the_tree_stays_as_it_is() -> None:
    tree = parse_html(page(f"<article><h1>{TITLE}</h1>{paragraphs()}</article><p hidden>x</p>"))
    assert tree is not None
    before = len(list(tree.iter()))
    shown = visible(tree)
    body_paragraphs(shown, [TITLE])
    assert len(list(tree.iter())) == before
    assert len(list(shown.iter())) == before - 1
