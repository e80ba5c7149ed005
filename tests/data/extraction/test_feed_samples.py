"""What becomes of real feeds and hostile ones that were collected elsewhere."""

import os
from pathlib import Path

import pytest

from data.errors import StoryRefusedError
from data.extraction.feed_parsing import MAX_ITEMS, parse_feed
from data.pages import Page

# File -> entries that are read of it. Each was counted in the file by its start tags.
READ = {
    "AmazonWebServicesBlog.xml": 10,
    "AtomEscapedHTMLInPreTag.xml": 1,
    "AtomFeedWithSpacesAroundEquals.xml": 1,
    "AtomWithITunesInCDATA.xml": 1,
    "CRE.xml": 30,
    "DuplicateContentAtomFeed.xml": 10,
    "FeedBurnerUrlNoAlternate.xml": 1,
    "FeedBurnerXHTML.xml": 10,
    "FeedjiraBlog.xml": 1,
    "GiantRobotsSmashingIntoOtherGiantRobots.xml": 3,
    "GoogleDocsList.xml": 2,
    "HREFConsideredHarmful.xml": 10,
    "HuffPostCanada.xml": 2,
    "ITunesWithSingleQuotedAttributes.xml": 3,
    "ITunesWithSpacesInAttributes.xml": 3,
    "InvalidDateFormat.xml": 2,
    "PaulDixExplainsNothing.xml": 5,
    "PaulDixExplainsNothingAlternate.xml": 5,
    "PaulDixExplainsNothingWFW.xml": 5,
    "Permalinks.xml": 4,
    "RSSWithComments.xml": 30,
    "SamRuby.xml": 20,
    "TechCrunch.xml": 20,
    "TenderLovemaking.xml": 10,
    "TrotterCashionHome.xml": 14,
    "TypePadNews.xml": 10,
    "a10.xml": 5,
    "atom_simple_single_entry.xml": 1,
    "atom_simple_single_entry_link_self.xml": 1,
    "atom_with_link_tag_for_url_unmarked.xml": 1,
    "google_alerts_atom.xml": 20,
    "itunes.xml": 3,
    "itunes_feedburner.xml": 3,
    "pet_atom.xml": 10,
    "rp_atom-customfields.atom": 15,
    "rp_content-encoded.rss": 7,
    "rp_craigslist.rss": 25,
    "rp_customfields.rss": 15,
    "rp_encoding.rss": 40,
    "rp_feedburner.atom": 25,
    "rp_giantbomb-podcast.rss": 500,
    "rp_guardian.rss": 55,
    "rp_gulp-atom.atom": 10,
    "rp_heise.atom": 15,
    "rp_heraldsun.rss": 2,
    "rp_incomplete-fields.atom": 1,
    "rp_instant-article.rss": 1,
    "rp_item-itunes-episodeType.rss": 1,
    "rp_itunes-category.rss": 1,
    "rp_itunes-href.rss": 10,
    "rp_itunes-keywords-array.rss": 1,
    "rp_itunes-keywords-astext.rss": 32,
    "rp_itunes-keywords.rss": 1,
    "rp_itunes-missing-image.rss": 131,
    "rp_many-links.rss": 25,
    "rp_missing-fields.atom": 1,
    "rp_narro.rss": 1,
    "rp_pagination-links.rss": 1,
    "rp_reddit-atom.rss": 24,
    "rp_reddit-home.rss": 24,
    "rp_reddit.rss": 24,
    "rp_rss-1.rss": 69,
    "rp_uolNoticias.rss": 15,
    "rp_xml2js-options.rss": 69,
    "youtube_atom.xml": 15,
}
# File -> entries that cannot be used, having neither a link nor a text.
UNUSABLE = {"Permalinks.xml": 1, "rp_incomplete-fields.atom": 1, "rp_missing-fields.atom": 1}
# File -> entries beyond the 500 that are read.
LEFT_OUT = {"rp_giantbomb-podcast.rss": 230}
# File -> what it is instead of a feed: pieces of HTML that were taken out of entries, and a page
# that says that a feed has moved.
REFUSED = {
    "AmazonWebServicesBlogFirstEntryContent.xml": "This is a web page, not a feed.",
    "HREFConsideredHarmfulFirstEntry.xml": "This is a web page, not a feed.",
    "PaulDixExplainsNothingFirstEntryContent.xml": "This is a web page, not a feed.",
    "TechCrunchFirstEntry.xml": "This is a web page, not a feed.",
    "TechCrunchFirstEntryDescription.xml": "This is a web page, not a feed.",
    "TenderLovemakingFirstEntry.xml": "This is a web page, not a feed.",
    "rp_unrecognized.rss": "This is a web page, not a feed.",
}


@pytest.fixture(scope="module")
def samples() -> Path:
    folder = Path(os.environ.get("PULLQUOTE_EVAL", "")) / "feeds" / "samples"
    if not os.environ.get("PULLQUOTE_EVAL") or not folder.is_dir():
        pytest.skip("$PULLQUOTE_EVAL names no folder with feeds/samples")
    return folder


def read(samples: Path, name: str) -> Page:
    return Page((samples / name).read_bytes(), media_type="application/xml")


def test_every_file_is_in_the_table_once(samples: Path) -> None:
    assert sorted(path.name for path in samples.iterdir()) == sorted([*READ, *REFUSED])
    assert len(READ) + len(REFUSED) == 72


@pytest.mark.parametrize("name", READ)
def test_a_feed_is_read(samples: Path, name: str) -> None:
    feed = parse_feed(read(samples, name))
    assert len(feed.items) == READ[name] <= MAX_ITEMS
    assert sum(item.refused is not None for item in feed.items) == UNUSABLE.get(name, 0)
    assert feed.left_out == LEFT_OUT.get(name, 0)
    for item in feed.items:
        assert item.guid
        assert (item.refused is None) == bool(item.url or item.text)
        assert item.url is None or item.url.startswith(("http://", "https://"))
        assert item.text is None or "\n\n\n" not in item.text
        assert item.title is None or item.title == " ".join(item.title.split())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_feed_is_refused_with_its_reason(samples: Path, name: str) -> None:
    with pytest.raises(StoryRefusedError) as refused:
        parse_feed(read(samples, name))
    assert str(refused.value) == REFUSED[name]


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        # Full text in content:encoded or atom:content; some entries are short all the same.
        ("TechCrunch.xml", 8),
        ("pet_atom.xml", 10),
        ("rp_many-links.rss", 25),
        ("FeedjiraBlog.xml", 1),
        # Teasers, descriptions of videos, notes on recordings, links with comments.
        ("rp_guardian.rss", 0),
        ("google_alerts_atom.xml", 0),
        ("youtube_atom.xml", 0),
        ("CRE.xml", 0),
        ("rp_reddit.rss", 0),
        ("rp_rss-1.rss", 0),
    ],
)
def test_full_text_is_told_from_teasers(samples: Path, name: str, whole: int) -> None:
    items = parse_feed(read(samples, name)).items
    assert sum(not item.is_summary for item in items) == whole


def test_an_undeclared_encoding_and_months_in_another_language_are_read(samples: Path) -> None:
    for item in parse_feed(read(samples, "rp_uolNoticias.rss")).items:
        assert item.published_at is not None
        assert item.published_at.endswith("-03:00")
        assert item.title is not None
        assert not {"\ufffd", "\u00c3"} & set(item.title)  # U+00C3 begins UTF-8 read as Latin-1
