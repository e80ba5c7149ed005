import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from data.collections import Collections
from data.database import write
from data.models import Revision
from data.signatures import COMPARED_LENGTH, Lead, SignatureStore, signature
from index.duplicates import MIN_LEAD_COSINE, Copies, Story, is_copy
from tests.fakes import Wiring, story, wire
from tests.index.texts import stories, texts

PARAGRAPHS = (
    "A ferry with 212 people on board ran aground off the island of Skerra on Monday evening. "
    "All of them were brought ashore before midnight, the coast guard said.",
    "The Aurora had left the harbour of Lund at 5 p.m. in thick fog. "
    "Its captain, Ida Holm, told investigators that the light on the southern pier was out.",
    '"We saw the rocks when it was too late to turn," Holm said. '
    "She has sailed the route for eleven years.",
    "The light had been reported as broken twice in March. "
    "A spokesman for the harbour office, Karl Berg, said that a lamp had been ordered but had "
    "not arrived. He could not say why no buoy was put out.",
    "Three passengers were treated for cold, and one for a broken wrist. "
    "The oldest was a man of 84 who had been on his way home from hospital.",
    "Divers are to look at the hull on Wednesday. "
    "If it is sound, tugs will try to pull the ship free at the next spring tide.",
    "The company, Northern Lines, bought the Aurora from a Danish yard in 2009 for 14 million "
    "euros. It is the larger of the two ships that serve the island.",
    "Until further notice the smaller one sails four times a day. "
    "Tickets that were bought for the Aurora stay valid, the company wrote to its customers.",
)
STORY = "\n\n".join(PARAGRAPHS)

OTHER_PARAGRAPHS = (
    "The government wants to pay for new harbour lights along the whole western coast. "
    "The minister of transport, Nils Ek, presented the plan in parliament on Thursday.",
    "Every port would have to keep spare lamps, and would be inspected once a year. "
    "Ek spoke of a programme that costs 30 million euros and ends in 2031.",
    "The opposition called the plan late and half-hearted. "
    "Towns along the coast have asked for money since a storm destroyed several piers.",
    "Fishermen welcomed the announcement, but want to be heard before the law is written. "
    "Their union has 4,000 members.",
    "The minister said that he would visit the ports himself. "
    "A vote is expected before the summer break.",
)
GERMAN = (
    "Der Bürgermeister eröffnete am Freitag die neue Brücke über den Fluss. Nach Angaben der "
    "Stadt hat der Bau drei Millionen Euro gekostet. Zur Feier kamen Hunderte Bürger an das Ufer. "
    "Die alte Brücke war wegen Rissen im Beton gesperrt worden. Kritiker werfen der Verwaltung "
    "vor, die Kosten zu niedrig geschätzt zu haben. Der Stadtrat berät im Herbst über den Haushalt."
)
CHINESE = (
    "北京市长星期五宣布新桥将于明年三月开放。工程耗资三亿元，历时两年。市民对通车表示欢迎，但环保人士提出批评。"
    "市长说，收费方案将在下个月公布。专家认为新桥可以减轻市中心的交通压力。施工方表示，最后的检测正在进行。"
)
THAI = "นายกเทศมนตรีเปิดสะพานใหม่เมื่อวันศุกร์ หลังจากก่อสร้างมานานสองปี ค่าใช้จ่ายทั้งหมดสามร้อยล้านบาท"


def without(text: str, *pieces: str) -> str:
    for piece in pieces:
        assert piece in text
        text = text.replace(piece, "")
    return text


def copies(one: str, two: str) -> bool:
    """Return whether the texts are copies, which must not depend on which is asked about."""
    found = is_copy(Story(one), Story(two))
    assert is_copy(Story(two), Story(one)) == found
    return found


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(STORY, id="the same"),
        pytest.param("\n\n".join(PARAGRAPHS[:4]), id="the tail cut"),
        pytest.param("\n\n".join(PARAGRAPHS[i] for i in (0, 2, 3, 5, 7)), id="parts left out"),
        pytest.param("\n\n".join(PARAGRAPHS[1:]), id="the first paragraph left out"),
        pytest.param(f"Ship hits rocks\n\nBy Ann Hart\n\nLUND (Agency) — {STORY}", id="byline"),
        pytest.param(
            "This story was originally published by The Agency.\n\nSign up for our newsletter and "
            f"never miss a story.\n\n{STORY}\n\nMore from our site: the ten best beaches of the "
            "west coast.\n\nCopyright 2024 The Agency. All rights reserved.",
            id="a publisher's lines",
        ),
        pytest.param(STORY.replace("\n\n", " "), id="one paragraph"),
        pytest.param(STORY.replace(". ", ".\n\n"), id="a paragraph a sentence"),
        pytest.param(STORY.upper(), id="capitals"),
        pytest.param(
            STORY.replace('"', "“").replace("eleven", "11").replace("p.m.", "pm"), id="spelling"
        ),
        pytest.param(
            STORY.replace("said that", "said").replace("brought ashore", "taken ashore")
            .replace("thick fog", "dense fog").replace("larger", "bigger"),
            id="some other words",
        ),
        pytest.param(
            f"{PARAGRAPHS[0]}\n\nREAD MORE: How the island lives\n\n" + "\n\n".join(PARAGRAPHS[1:]),
            id="a link to another story",
        ),
    ],
)  # fmt: skip
def test_a_report_that_a_publisher_edited_is_a_copy(copy: str) -> None:
    assert copies(STORY, copy)


def test_two_copies_that_each_leave_something_out_are_copies_of_one_another() -> None:
    one = "\n\n".join(PARAGRAPHS[i] for i in (0, 1, 3, 4, 6))
    two = "\n\n".join(PARAGRAPHS[i] for i in (0, 2, 3, 4, 7))
    assert copies(one, two)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("\n\n".join(OTHER_PARAGRAPHS), id="something else"),
        pytest.param("\n\n".join(OTHER_PARAGRAPHS + PARAGRAPHS[5:]), id="old paragraphs behind"),
        pytest.param("\n\n".join(OTHER_PARAGRAPHS[:2] + PARAGRAPHS), id="news before all of it"),
        pytest.param(
            "\n\n".join(OTHER_PARAGRAPHS[:2] + PARAGRAPHS[2:]), id="news instead of the beginning"
        ),
        pytest.param("\n\n".join((*OTHER_PARAGRAPHS, STORY, "More soon.")), id="a live page"),
        pytest.param(STORY.replace("212 people", "187 people"), id="one other figure"),
        pytest.param(STORY.replace("14 million", "19 million"), id="a sum"),
        pytest.param(STORY.replace("in 2009 for", "in 2011 for"), id="a year"),
        pytest.param(STORY.replace("eleven years", "twelve years"), id="a number in words"),
        pytest.param(STORY.replace("Three passengers", "Nine passengers"), id="a first word"),
        pytest.param(STORY.replace("84 who", "91 who"), id="an age"),
        pytest.param(STORY.replace("Skerra", "Vallo"), id="another place"),
        pytest.param(STORY.replace("Ida Holm", "Rut Dahl").replace("Holm", "Dahl"), id="a person"),
        pytest.param(
            STORY.replace("Monday", "Friday").replace("Aurora", "Borea").replace("212", "96"),
            id="the next of a series",
        ),
    ],
)  # fmt: skip
def test_an_update_a_follow_up_or_another_story_is_no_copy(other: str) -> None:
    assert not copies(STORY, other)


def test_a_byline_or_a_date_line_that_differs_contradicts_nothing() -> None:
    head = (
        "Ferry runs aground off an island\n\nBy {}\n\nUpdated May 3, 2024 at {} by our staff\n\n{}"
    )
    assert copies(head.format("Ann Hart", "6:10", STORY), head.format("Omar Silva", "9:45", STORY))


def test_a_dateline_that_differs_contradicts_nothing() -> None:
    assert copies(f"LUND (Agency) — {STORY}", f"OSLO (Gazette) — {STORY}")


def test_names_of_the_agency_at_the_end_contradict_nothing() -> None:
    line = "This article first appeared on the website of {}. All rights reserved."
    assert copies(f"{STORY}\n\n{line.format('Reuters')}", f"{STORY}\n\n{line.format('Bloomberg')}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("the United States", "the US"),
        ("the U.S.", "the US"),
        ("the Labor Party", "the Labour Party"),
    ],
)
def test_two_forms_of_a_name_are_one(old: str, new: str) -> None:
    line = "The ship was then sold by an owner in {} who had it for a year."
    assert copies(f"{STORY} {line.format(old)} End.", f"{STORY} {line.format(new)} End.")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (GERMAN, GERMAN.replace("Hunderte Bürger", "Hunderte Einwohner")),
        (CHINESE, f"新华社电 {without(CHINESE, '市民对通车表示欢迎，但环保人士提出批评。')}"),
        (THAI, f"{THAI} ผู้สื่อข่าวรายงาน"),
    ],
    ids=["German", "Chinese", "Thai"],
)
def test_copies_are_told_in_other_languages(one: str, two: str) -> None:
    assert copies(one, two)


def test_a_name_that_changes_throughout_is_another_story_where_all_nouns_have_capitals() -> None:
    text = f"{GERMAN} Die Brücke heißt Lindau. Wer nach Lindau will, zahlt in Lindau nichts mehr."
    assert not copies(text, text.replace("Brücke", "Schleuse"))


def test_an_other_figure_is_seen_in_scripts_without_spaces() -> None:
    assert not copies(CHINESE.replace("三亿", "300"), CHINESE.replace("三亿", "500"))


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("The mayor opened the bridge.", "The mayor opened the bridge", True),
        ("The mayor opened the bridge on Friday.", "The mayor opened the bridge on Monday.", False),
        ("Rain fell.", "rain fell", True),
        ("Rain fell.", "Rain fell. Snow fell. Hail fell.", False),
        ("This is a developing story.", f"{STORY} This is a developing story.", False),
        ("Rain", "Rain", True),
        ("Rain", "Snow", False),
        ("", "", False),
        ("!!!", "!!!", False),
        ("", STORY, False),
    ],
)  # fmt: skip
def test_a_few_words_must_be_nearly_the_same(one: str, two: str, expected: bool) -> None:
    assert copies(one, two) is expected


def test_beginnings_with_different_vectors_tell_different_things() -> None:
    def lead(cosine: float, encoder: str = "a") -> Lead:
        row = np.array([cosine, (1 - cosine**2) ** 0.5], dtype="<f4")
        return Lead(encoder, row.tobytes())

    one = Story(STORY, lead(1.0))
    assert is_copy(one, Story(STORY, lead(MIN_LEAD_COSINE + 0.01)))
    assert not is_copy(one, Story(STORY, lead(MIN_LEAD_COSINE - 0.01)))
    assert is_copy(one, Story(STORY, lead(0.0, encoder="b"))), "they cannot be compared"
    assert is_copy(one, Story(STORY))


@settings(max_examples=150, deadline=None)
@given(texts, texts)
def test_any_two_texts_can_be_compared_from_either_side(one: str, two: str) -> None:
    copies(one, two)
    copies(f"{one}\n\n{STORY}", f"{STORY}\n\n{two}")


@settings(max_examples=100, deadline=None)
@given(stories)
def test_a_text_with_words_is_a_copy_of_itself(text: str) -> None:
    assert copies(text, text) == bool(signature(text).bands)


def test_what_stands_far_behind_is_not_read() -> None:
    long = " ".join(f"Sentence {number} is about rain." for number in range(COMPARED_LENGTH // 20))
    assert len(long) > COMPARED_LENGTH
    assert copies(f"{long} {STORY}", f"{long} {STORY.replace('212', '187')}")


# --- looking them up


def add(services: Wiring, text: str, *, source: str, **given: str) -> Revision:
    """Store a story with its signature."""
    saved = services.indexer.add(story(text, source=source, **given)).revision
    with write(services.db):
        SignatureStore(services.db).put(saved.id, signature(saved.text))
    return saved


def copies_in(services: Wiring, of: Revision) -> list[Revision]:
    return Copies([services.db]).of(of)


def test_the_copies_of_a_story_are_found_and_nothing_else(services: Wiring) -> None:
    first = add(services, STORY, source="Agency")
    add(services, "\n\n".join(OTHER_PARAGRAPHS), source="Daily")
    add(services, STORY.replace("212", "187"), source="Herald")
    cut = add(services, "\n\n".join(PARAGRAPHS[:5]), source="Courier")
    same = add(services, f"By Ann Hart\n\n{STORY}", source="Agency")
    assert copies_in(services, first) == [cut, same]
    assert copies_in(services, cut) == [first, same]


def test_a_story_without_copies_has_none(services: Wiring) -> None:
    assert copies_in(services, add(services, STORY, source="Agency")) == []


def test_what_a_story_said_before_is_no_copy(services: Wiring) -> None:
    url = "https://example.org/ferry"
    first = add(services, STORY, source="Agency", url=url)
    cut = add(services, "\n\n".join(PARAGRAPHS[:5]), source="Courier")
    changed = add(services, STORY.replace("212", "187"), source="Agency", url=url)
    assert changed.article_id == first.article_id
    assert copies_in(services, changed) == []
    assert copies_in(services, cut) == []


def test_a_removed_story_is_no_copy_any_more(services: Wiring) -> None:
    first, cut = add(services, STORY, source="Agency"), add(services, STORY, source="Courier")
    services.indexer.remove(cut.article_id)
    assert copies_in(services, first) == []


def test_a_story_that_was_stored_without_a_signature_still_finds_its_copies(
    services: Wiring,
) -> None:
    first, cut = add(services, STORY, source="Agency"), add(services, STORY, source="Courier")
    services.db.execute("DELETE FROM signatures WHERE revision_id = ?", [first.id])
    assert copies_in(services, first) == [cut]
    assert copies_in(services, cut) == []


def test_copies_are_found_across_collections(services: Wiring, tmp_path: Path) -> None:
    own = wire(tmp_path, name="server")
    try:
        first, shared = add(own, STORY, source="Agency"), add(services, STORY, source="Courier")
        third = add(own, STORY, source="Herald")
        assert Copies([own.db, services.db]).of(first) == [third, shared]
        assert Copies([services.db, own.db]).of(first) == [shared, third]
        assert Copies([own.db, services.db]).of(shared) == [first, third]
        assert Copies([own.db]).of(first) == [third], "what is not open is not read"
    finally:
        own.db.close()


def test_vectors_of_two_beginnings_are_compared(services: Wiring) -> None:
    first, other = add(services, STORY, source="Agency"), add(services, STORY, source="Courier")
    assert copies_in(services, first) == [other]
    lead = SignatureStore(services.db).lead(first.id)
    assert lead is not None
    opposite = (-np.frombuffer(lead.vector, "<f4")).tobytes()
    services.db.execute(
        "UPDATE chunks SET vector = ?, checksum = ? WHERE revision_id = ?",
        [opposite, zlib.crc32(opposite), other.id],
    )
    assert copies_in(services, first) == []


def test_an_unopened_collection_cannot_be_asked_about(services: Wiring, tmp_path: Path) -> None:
    first = add(services, STORY, source="Agency")
    db = Collections(tmp_path).get("server").connect()
    try:
        with pytest.raises(KeyError):
            Copies([db]).of(first)
    finally:
        db.close()
