"""Which stories are copies of one another: one report, as several publishers carry it.

What two texts share word for word says whether one carries the other; their beginnings, figures
and names say whether one goes on to tell something else. The thresholds are from
benchmarks/duplicates.py, chosen on one half of its articles and confirmed on the other.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from data.articles import ArticleStore
from data.database import Database
from data.models import Revision
from data.signatures import (
    COMPARED_LENGTH,
    SHINGLE,
    Lead,
    SignatureStore,
    shingles,
    signature,
    words_of,
)
from index.sentences import sentence_spans

# Share of the shorter story's words that must stand in sentences which the other one has too.
MIN_SHARED = 0.45
# A sentence is one that the other has where this share of its words stands in common shingles.
SENTENCE_SHARED = 0.5
# Where fewer words than this are shared, nearly all words of both texts must be.
FEW_WORDS = 30
FEW_SHARED = 0.8
# Words with which a copy may begin that the other lacks: a publisher's line, a changed sentence.
OWN_LEAD = 40
# A shared sentence makes up for this many times as many words of one's own in front of it.
LEAD_WEIGHT = 5
# A longer beginning must be this likely to be left out, as often as later sentences are.
MIN_CHANCE = 0.001
# Cosine of the vectors of two beginnings below which they tell different things.
MIN_LEAD_COSINE = 0.6

_LONGEST_CHANGE = 8  # words: a longer piece is another sentence, not a changed word
_NAME_RATIO = 3  # a changed name is this many times as frequent in its own text, at least
_SAME_NAME = 0.75  # likeness of two spellings of one name
_LONGEST_NAME = 60  # characters that are compared
_MAX_CAPITALS = 0.3  # share of words; German has more, and they tell no names there
_SHORTEST_SENTENCE = 5  # words

_FIGURE = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»」)\]]*\s*\Z")  # noqa: RUF001
# A line that says when something was published, or by whom.
_STAMP = re.compile(
    r"(?i)\d[:.]\d\d|\b(?:(?:19|20)\d\d|[ap]\.?m|updated|published|posted|ago|by)\b"
)
# What a publisher puts around a story.
_ADDED = re.compile(
    r"(?i)\b(?:subscrib|newsletter|sign(?:ed)? up|copyright|all rights reserved|republish"
    r"|(?:originally|first) (?:published|appeared)|permission|commission|download|advertis"
    r"|cookies?\b|regist(?:er|ration)|log in|editor.s note|contributed to this|reporting by"
    r"|edit(?:ed|ing) by|journalism|become a member|listen to this|read more|follow us"
    r"|share this|your inbox|for free\b)|©"
)


@dataclass(frozen=True, slots=True)
class Story:
    """What a copy is told by: the text, and the vector of its beginning where one is known."""

    text: str
    lead: Lead | None = None


def is_copy(story: Story, other: Story) -> bool:
    """Return whether the two are one report, of which either may leave a part out.

    One publisher's count too. An update or a follow-up is none, however much it repeats: it
    begins with something else, or says another figure or name in the same place.
    """
    return same_beginning(story.lead, other.lead) and same_report(
        Reading(story.text), Reading(other.text)
    )


def same_beginning(lead: Lead | None, other: Lead | None) -> bool:
    """Return whether two beginnings may tell the same, by their vectors; an unknown one may."""
    cosine = None if lead is None or other is None else lead.cosine(other)
    return cosine is None or cosine >= MIN_LEAD_COSINE


class Reading:
    """A text, read so that it can be compared with others."""

    def __init__(self, text: str) -> None:
        self.cased: list[str] = []
        every: list[range] = []
        prose: list[range] = []
        self.statements: list[range] = []  # where another figure or name is another statement
        for span in sentence_spans(text[:COMPARED_LENGTH]):
            sentence = span.slice(text)
            if not (words := words_of(sentence)):
                continue
            places = range(len(self.cased), len(self.cased) + len(words))
            self.cased += words
            every.append(places)
            if _ADDED.search(sentence):
                continue
            ends = bool(_SENTENCE_END.search(sentence))
            if ends or not _STAMP.search(sentence):
                self.statements.append(places)
            if ends and len(words) >= _SHORTEST_SENTENCE:
                prose.append(places)
        # Bylines, headings and captions do not count, unless the whole text is of their kind.
        self.sentences = prose if 2 * sum(map(len, prose)) >= len(self.cased) else every
        self.bounds = {0, *(sentence.stop for sentence in every)}
        self.shingles = shingles(self.cased)
        # Where each shingle stands; None where it does so more than once.
        self.places: dict[tuple[str, ...], int | None] = {}
        for place, shingle in enumerate(self.shingles):
            self.places[shingle] = None if shingle in self.places else place
        self.counts = Counter(self.cased)
        capitals = sum(word[0].isupper() for word in self.cased)
        self.tells_names = capitals <= _MAX_CAPITALS * len(self.cased)


def same_report(one: Reading, two: Reading) -> bool:
    """Return whether two texts are one report, by their words alone."""
    if not one.cased or one.shingles == two.shingles:
        return one.shingles == two.shingles != []
    mine, other = _Compared(one, two), _Compared(two, one)
    if min(mine.shared, other.shared) < FEW_WORDS:
        enough = min(mine.word_share, other.word_share) >= FEW_SHARED
    else:
        enough = max(mine.share, other.share) >= MIN_SHARED
    return (
        enough
        and not (mine.has_own_lead or other.has_own_lead)
        and not (_contradicts(mine, other) or _contradicts(other, mine))
    )


class _Compared:
    """A text, beside another one."""

    def __init__(self, reading: Reading, other: Reading) -> None:
        self.reading = reading
        self.common = [False] * len(reading.cased)  # words in a shingle that the other has too
        for place, shingle in enumerate(reading.shingles):
            if shingle in other.places:
                self.common[place : place + SHINGLE] = [True] * len(shingle)
        # Of each sentence its length in words, and whether the other text has it.
        self.sentences = [
            (len(at), sum(self.common[at.start : at.stop]) >= SENTENCE_SHARED * len(at))
            for at in reading.sentences
        ]
        self.shared = sum(length for length, has in self.sentences if has)
        self.share = self.shared / (sum(length for length, _ in self.sentences) or 1)
        # One changed name or day is much of a short text, and little of a sentence.
        self.word_share = sum(self.common) / (len(self.common) or 1)

    @property
    def has_own_lead(self) -> bool:
        """Whether the text begins with a report of its own.

        The lead is the beginning in which one's own words most outweigh the shared ones. It is no
        report of its own where the other may have left it out by chance, as it left out a share
        of the sentences between the lead and the last shared one.
        """
        most = words = lead = last = 0
        for number, (length, has) in enumerate(self.sentences, start=1):
            words += -LEAD_WEIGHT * length if has else length
            last = number if has else last
            if words > most:
                most, lead = words, number
        if most <= OWN_LEAD:
            return False
        body = self.sentences[lead:last]
        left_out = (sum(not has for _, has in body) + 0.5) / (len(body) + 1)
        return lead * math.log(left_out) < math.log(MIN_CHANCE)


def _contradicts(mine: _Compared, other: _Compared) -> bool:
    """Return whether one text says another figure or another name in the same place."""
    one, two = mine.reading, other.reading
    times = 1 if one.tells_names and two.tells_names else 2
    names: Counter[tuple[str, str]] = Counter()
    for piece, place in _changes(mine, other):
        old, new = one.cased[piece.start : piece.stop], two.cased[place.start : place.stop]
        if _other_figure(old, new):
            return True
        name = _other_name(old, new, one.counts, two.counts)
        if name is not None and piece.start not in one.bounds:  # where datelines stand
            names[name] += 1
    return max(names.values(), default=0) >= times


def _changes(mine: _Compared, other: _Compared) -> Iterator[tuple[range, range]]:
    """Yield the pieces of sentences that the other text has replaced, and what stands there."""
    for sentence in mine.reading.statements:
        for own, places in groupby(sentence, lambda place: not mine.common[place]):
            found = list(places)
            piece = range(found[0], found[-1] + 1)
            place = _replaced(mine.reading, sentence, piece, other.reading) if own else None
            # Words that the first text has too, elsewhere, are those of another sentence.
            if place and not all(other.common[place.start : place.stop]):
                yield piece, place


def _replaced(one: Reading, sentence: range, piece: range, two: Reading) -> range | None:
    """Return what stands in a piece's place in the other text: between the same shingles.

    At an end of the sentence there is but one, and what replaces the piece is as long.
    """
    begins, ends = piece.start == sentence.start, piece.stop == sentence.stop
    start = behind = None
    if not begins and (before := two.places.get(one.shingles[piece.start - SHINGLE])) is not None:
        start = before + SHINGLE
    if not ends:
        behind = two.places.get(one.shingles[piece.stop])
    if begins and behind is not None:
        start = behind - len(piece)
    if ends and start is not None:
        behind = start + len(piece)
    if start is None or behind is None:
        return None
    place = range(start, behind)
    short = max(len(piece), len(place)) <= _LONGEST_CHANGE
    alike = (begins, ends) == (place.start in two.bounds, place.stop in two.bounds)
    return place if short and alike and two.bounds.isdisjoint(place[1:]) else None


def _other_figure(old: Sequence[str], new: Sequence[str]) -> bool:
    """Return whether both pieces hold figures that the other one lacks."""
    mine, other = ([m[0] for word in words if (m := _FIGURE.match(word))] for words in (old, new))
    differ = set(mine) - set(other) and set(other) - set(mine)
    return bool(differ) and "".join(mine) != "".join(other)  # `3.5` and `3,5` are split alike


def _other_name(
    old: Sequence[str], new: Sequence[str], counts: Counter[str], others: Counter[str]
) -> tuple[str, str] | None:
    """Return the names in two pieces where each is its own text's, and they are not one name's."""
    mine = [word for word in old if word[0].isupper() and word not in new]
    other = [word for word in new if word[0].isupper() and word not in old]
    changed = (
        mine
        and other
        and all(counts[word] >= _NAME_RATIO * others[word] for word in mine)
        and all(others[word] >= _NAME_RATIO * counts[word] for word in other)
        and not _one_name(mine, other)
    )
    return (" ".join(mine), " ".join(other)) if changed else None


def _one_name(mine: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the words are two forms of a name: `US` and `United States`, two spellings."""
    whole, others = ("".join(words).casefold()[:_LONGEST_NAME] for words in (mine, other))
    initials, other_initials = ("".join(w[0] for w in words).casefold() for words in (mine, other))
    likeness = SequenceMatcher(None, whole, others, autojunk=False).ratio()
    return whole == other_initials or others == initials or likeness >= _SAME_NAME


class Copies:
    """Finds the copies of a story among the current stories of one or more collections.

    Used within one view of each collection's database.
    """

    def __init__(self, collections: Sequence[Database]) -> None:
        self._collections = {db.collection: db for db in collections}

    def of(self, revision: Revision) -> list[Revision]:
        """Return the copies, in the order of the collections and then as they were stored."""
        home = SignatureStore(self._collections[revision.collection])
        wanted = home.get(revision.id) or signature(revision.text)
        likely = [
            (db, other)
            for db in self._collections.values()
            for other in _revisions(db, SignatureStore(db).likely(wanted))
            if (other.collection, other.article_id) != (revision.collection, revision.article_id)
        ]
        if not likely:
            return []
        reading, lead = Reading(revision.text), home.lead(revision.id)
        return [
            other
            for db, other in likely
            if same_report(reading, Reading(other.text))
            and same_beginning(lead, SignatureStore(db).lead(other.id))
        ]


def _revisions(db: Database, revision_ids: Sequence[int]) -> list[Revision]:
    found = ArticleStore(db).revisions(revision_ids)
    return [found[number] for number in revision_ids if number in found]
