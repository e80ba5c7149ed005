"""What on a page is no story, and why: each kind with a sentence of its own."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import data.extraction.page_phrases as phrases
from data.extraction.html_tree import Line, text_of
from data.extraction.page_addresses import host_of
from data.extraction.page_evidence import LEAST, Evidence, weight

NO_TEXT = "There is no story on this page: it holds no text."
TOO_LITTLE = "There is hardly any text on this page, too little for a story."
SCRIPT_ONLY = (
    "The page shows its story only where JavaScript runs, which it does not here. "
    "Add the story's text instead."
)
CONSENT_WALL = (
    "The page asks for consent to cookies before it shows its story. Add the story's text instead."
)
PAYWALL = "The page shows only the beginning of its story; the rest is for subscribers."
FILLER_TEXT = "The page shows filler text in place of its story, as behind a paywall."
LOGIN = "The page asks to log in before it shows a story."
ERROR_PAGE = "The page is an error message of the site (page not found, for example), no story."
ROBOT_CHECK = "The site asked to prove that a person is reading, so its story was not to be had."
REGION_BLOCK = "The site does not show its stories in this part of the world."
HOME_PAGE = "This is the home page of a site, not a story. Use the link of one story."
LIST_PAGE = "This is a list of stories, not one of them. Use the link of one story."

# Weights of the text, in letters.
_SHORT = 600  # under which what a page says of itself outweighs its text
_TEASER = 1500  # a beginning that is shown for nothing is seldom longer
_BRIEF = 500  # under which a story that is not free is but its beginning
_NOTICE = 3000  # the longest texts that ask for consent
_OFFER = 300  # the longest paragraphs that are but an offer

_HALF = 0.5
_FILLER_SHARE = 0.25  # of words, which no language of the news has
_LINKED = 0.6  # share of a page's letters in links from which on it is a list of them
_MANY_LINKS = 20
_LINK_LIST = 200  # under which such a page holds no story of its own
_TEASERS = 4  # headlines that link to other pages of the site
_HEADLINE = 20  # letters from which on a link is a headline
_BARE = 100  # letters on a page that is but a frame for scripts
_FIRST = 3  # paragraphs in which a page says what it is, and last ones that may be cut
_CUT = re.compile(r"(?:\.\.\.|…)[\s\"'”’»)\]]*\Z")
_LIST_TYPES = frozenset(("collectionpage", "searchresultspage"))


def problem(evidence: Evidence) -> str | None:
    """Return the sentence that says why a page holds no story, or not all of it; None for a story.

    The surest signs come first. Whatever a page says beside it, a long text is a story.
    """
    checks: tuple[tuple[Callable[[Evidence], bool], str], ...] = (
        (_is_robot_check, ROBOT_CHECK),
        (_is_error, ERROR_PAGE),
        (_is_region_block, REGION_BLOCK),
        (_is_consent_wall, CONSENT_WALL),
        (_is_filler, FILLER_TEXT),
        (_is_login, LOGIN),
        (_is_paywalled, PAYWALL),
        (_is_home, HOME_PAGE),
        (_is_list, LIST_PAGE),
        (_needs_script, SCRIPT_ONLY),
        (lambda evidence: evidence.weight == 0, NO_TEXT),
        (lambda evidence: evidence.weight < LEAST, TOO_LITTLE),
    )
    return next((sentence for check, sentence in checks if check(evidence)), None)


def _is_robot_check(evidence: Evidence) -> bool:
    if evidence.weight >= _SHORT:
        return False
    if evidence.called(phrases.ROBOT_TITLE) or evidence.tells(phrases.ROBOT):
        return True
    # Some of them write it into a frame, which is no line of the page.
    return evidence.weight == 0 and phrases.ROBOT.search(text_of(evidence.shown)) is not None


def _is_error(evidence: Evidence) -> bool:
    if evidence.weight < _TEASER and evidence.called(phrases.ERROR_TITLE):
        return True
    if evidence.weight >= _SHORT or evidence.is_article:
        return False
    texts = [*evidence.headings, *evidence.paragraphs[:_FIRST]]
    return any(phrases.ERROR_TEXT.search(text) for text in texts)


def _is_region_block(evidence: Evidence) -> bool:
    return evidence.weight < _SHORT and evidence.tells(phrases.REGION)


def _is_consent_wall(evidence: Evidence) -> bool:
    """Return whether most of the text asks for consent; of the page, where it has no other."""
    texts = list(evidence.paragraphs)
    if evidence.weight < LEAST:
        texts = [line.text for line in evidence.lines]
    total = sum(map(weight, texts))
    asking = sum(weight(text) for text in texts if phrases.CONSENT.search(text))
    return 0 < total < _NOTICE and asking >= _HALF * total


def _is_filler(evidence: Evidence) -> bool:
    words = [w.strip(".,;:") for w in " ".join(evidence.paragraphs).lower().split()]
    return bool(words) and sum(w in phrases.FILLER for w in words) >= _FILLER_SHARE * len(words)


def _is_login(evidence: Evidence) -> bool:
    if evidence.weight >= _SHORT or evidence.is_article:
        return False
    if evidence.weight < _LINK_LIST and any(map(phrases.LOGIN_TEXT.search, evidence.paragraphs)):
        return True
    asks = evidence.shown.find('.//input[@type="password"]') is not None
    links = sum(line.linked > _HALF for line in evidence.lines)
    bare = evidence.weight < LEAST and links < _MANY_LINKS
    return asks and (bare or evidence.called(phrases.LOGIN_TITLE))


def _is_paywalled(evidence: Evidence) -> bool:
    """Return whether the text is but a beginning: the page says so, and the text looks it."""
    if evidence.is_mostly_paid:
        return True  # also where it can be read all the same
    if evidence.weight >= _TEASER:
        return False
    if any(phrases.PAYWALL.search(line.text) for line in evidence.near):
        return True
    # Behind the cut a line or two of the offer may have been taken for text.
    cut = any(_CUT.search(text) for text in evidence.paragraphs[-_FIRST:])
    if evidence.metadata.free is False:
        return cut or evidence.weight < _BRIEF or evidence.says(phrases.PAYWALL)
    return cut and evidence.says(phrases.OFFER)


def without_offers(paragraphs: Sequence[str]) -> list[str]:
    """Return the paragraphs of a story's beginning without those that offer its rest for money."""
    return [
        text
        for text in paragraphs
        if weight(text) > _OFFER or not (phrases.PAYWALL.search(text) or phrases.OFFER.search(text))
    ]


def _is_home(evidence: Evidence) -> bool:
    if evidence.url is None or evidence.metadata.data.story:
        return False
    parts = urlsplit(evidence.url)
    kinds = {kind.lower() for kind in evidence.metadata.metas.get("og:type", [])}
    at_top = parts.path in ("", "/") and not parts.query
    return at_top and ("website" in kinds or _teasers(evidence) >= _TEASERS)


def _is_list(evidence: Evidence) -> bool:
    if evidence.is_article:
        return False
    if evidence.metadata.data.types & _LIST_TYPES:
        return True
    paragraphs = sum(weight(text) >= LEAST for text in evidence.paragraphs)
    if _teasers(evidence) >= max(_TEASERS, paragraphs):
        return True
    story = [evidence.lines[number] for number in evidence.inside]
    if story and _linked(story) >= _HALF:
        return True
    many = sum(line.linked > _HALF for line in evidence.lines) >= _MANY_LINKS
    return many and evidence.weight < _LINK_LIST and _linked(evidence.lines) >= _LINKED


def _linked(lines: Sequence[Line]) -> float:
    """Return the share of the lines' letters that are in links."""
    total = sum(len(line.key) for line in lines)
    return sum(len(line.key) * line.linked for line in lines) / max(total, 1)


def _teasers(evidence: Evidence) -> int:
    """Return how many lines among the story's are links to other pages of the site."""
    if not evidence.inside:
        return 0
    first, last = evidence.inside[0], evidence.inside[-1]
    return sum(
        line.linked > _HALF and len(line.key) >= _HEADLINE and _stays_on_site(line, evidence.url)
        for line in evidence.lines[max(first - 2, 0) : last + 1]
    )


def _stays_on_site(line: Line, url: str | None) -> bool:
    around = (e for e in line.ancestors() if e.tag == "a")
    link = next(line.block.iter("a"), None)
    target = (link if link is not None else next(around, {})).get("href") or ""
    return not target.startswith("#") and host_of(target) in (None, host_of(url))


def _needs_script(evidence: Evidence) -> bool:
    if evidence.weight >= LEAST:
        return False
    if any(phrases.SCRIPT.search(text_of(n)) for n in evidence.shown.iter("noscript")):
        return True
    if evidence.says(phrases.SCRIPT):
        return True
    bare = sum(len(line.key) for line in evidence.lines) < _BARE
    return evidence.scripted and bare
