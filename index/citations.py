import re
from collections.abc import Sequence

from data.articles import ArticleStore
from data.errors import NotFoundError
from data.models import Revision, Span
from index.carriers import CopiesOf, carried_by, no_copies, plain, story_key
from index.models import Citation, Evidence, QuoteMismatchError
from index.sentences import (
    paragraph_spans,
    paragraph_starts,
    same_paragraph,
    sentence_spans,
    tells_what_was_wrong,
)
from index.terms import coverage, question_terms, term_weights, terms

MAX_CITATIONS = 3
MAX_QUOTE = 420  # code points
MAX_SENTENCES = 3
# A further quote must be at least this share as likely to answer as the first one.
FURTHER_SHARE = 0.75
# How much less a further quote from a story that is quoted already counts.
SAME_STORY_SHARE = 0.8
# A neighbouring sentence joins a quote when it brings at least this share of the weight of the
# question's terms that the quote lacks.
JOIN_COVERAGE = 0.25

_WORD_GAP = re.compile(r"\s+")
# What two reports of one event differ in where they disagree: figures, numbers in words, days.
_STATED = re.compile(
    r"\d+(?:[.,:]\d+)*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|hundreds?|thousands?|millions?|billions?|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|april|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)


def cite(
    question: str,
    evidence: Sequence[Evidence],
    *,
    threshold: float,
    limit: int = MAX_CITATIONS,
    further_share: float = FURTHER_SHARE,
    copies: CopiesOf = no_copies,
) -> tuple[Citation, ...]:
    """Return at most `limit` numbered citations, the strongest first; () where none is likely.

    A further one must be at least `further_share` as likely to answer as the first.

    Evidence comes strongest first. A quote is one to three whole sentences of one paragraph, at
    most 420 code points; a longer single sentence is cut between words around the answer.
    Quotes never overlap, and one that says the same words as another is left out, unless it has
    another figure or day. The copies of a story count as that story: the one of which publisher,
    author and date are known is quoted, of several the first; who else carries it stands beside it.
    """
    if not evidence or not evidence[0].score >= threshold:
        return ()
    chosen: list[tuple[Evidence, Span]] = []
    stories: list[set[tuple[str, str]]] = []  # of each that is chosen: itself and its copies
    seen: set[tuple[str, str]] = set()
    left = list(evidence)
    while left and len(chosen) < limit:
        item = left.pop(_most_useful(left, seen))
        seen.add(story_key(item.revision))
        quoted = any(story_key(item.revision) in story for story in stories)
        worth = item.score * (SAME_STORY_SHARE if quoted else 1.0)
        if chosen and worth < max(threshold, further_share * evidence[0].score):
            continue
        story = {story_key(r) for r in (item.revision, *copies(item.revision))}
        alike = [e for e in left if story_key(e.revision) in story and e.score >= threshold]
        item = _best_known(item, alike)
        span = _quote_span(question, item)
        if not any(_repeats(item, span, other, taken) for other, taken in chosen):
            chosen.append((item, span))
            stories.append(story)
            seen |= stories[-1]
    # Among equals the order in which they were chosen stays: other stories first.
    chosen.sort(key=lambda pair: -pair[0].rank_score)
    return tuple(
        _citation(
            number,
            item,
            span,
            story=next(n for n, s in enumerate(stories) if story_key(item.revision) in s),
            copies=copies(item.revision),
        )
        for number, (item, span) in enumerate(chosen, start=1)
    )


def check(citation: Citation, articles: ArticleStore) -> None:
    """Compare a citation with what is stored now, character by character.

    Raises:
        QuoteMismatchError: if the revision is gone or the quote is not its own slice.
    """
    try:
        stored = articles.revision(citation.revision.id)
    except NotFoundError as error:
        raise QuoteMismatchError(f"revision {citation.revision.id} is gone") from error
    if citation.span.slice(stored.text) != citation.quote:
        raise QuoteMismatchError(f"revision {stored.id} has other characters at {citation.span}")
    if stored.attribution != citation.revision.attribution:
        raise QuoteMismatchError(f"revision {stored.id} has another attribution")


def _most_useful(left: Sequence[Evidence], seen: set[tuple[str, str]]) -> int:
    """Return where the strongest item of a further story stands, else the strongest of all."""
    return next((n for n, item in enumerate(left) if story_key(item.revision) not in seen), 0)


def _repeats(item: Evidence, span: Span, other: Evidence, taken: Span) -> bool:
    if item.revision.key == other.revision.key and span.overlaps(taken):
        return True
    one, two = span.slice(item.revision.text), taken.slice(other.revision.text)
    stated, otherwise = (set(_STATED.findall(text.casefold())) for text in (one, two))
    if stated - otherwise and otherwise - stated:
        return False  # publishers who disagree are both quoted
    mine, theirs = terms(one), terms(two)
    return len(mine & theirs) > 0.8 * min(len(mine), len(theirs))


def _best_known(item: Evidence, others: Sequence[Evidence]) -> Evidence:
    """Return that of the same sentences in copies of one story whose attribution says most."""

    def unknown(evidence: Evidence) -> tuple[int, str]:
        a = evidence.revision.attribution
        return (a.source, a.author, a.published_at).count(None), a.published_at or "9"

    words = plain(item.span.slice(item.revision.text))
    same = [e for e in others if plain(e.span.slice(e.revision.text)) == words]
    return min((item, *same), key=unknown)


def _quote_span(question: str, item: Evidence) -> Span:
    """Return what to quote: the evidence with the neighbours it needs, or a cut of it."""
    text = item.revision.text
    if len(item.span) > MAX_QUOTE:
        return _cut(text, item.span, item.highlight, question)
    sentences = sentence_spans(text)
    inside = [i for i, s in enumerate(sentences) if s.overlaps(item.span)]
    first, last = inside[0], inside[-1]
    starts = paragraph_starts(text)
    found = [terms(s.slice(text)) for s in sentences]
    weights = term_weights(question_terms(question), found)
    have = terms(item.span.slice(text))
    span = item.span
    while last - first + 1 < MAX_SENTENCES:
        gains = []
        for i in (first - 1, last + 1):
            if 0 <= i < len(sentences) and same_paragraph(starts, sentences[i], item.span):
                wider = Span(min(span.start, sentences[i].start), max(span.end, sentences[i].end))
                gain = coverage(weights, have | found[i]) - coverage(weights, have)
                if i > last and tells_what_was_wrong(sentences[last].slice(text)):
                    gain = 1.0  # what is right stands behind what was wrong
                if len(wider) <= MAX_QUOTE and gain >= JOIN_COVERAGE:
                    gains.append((gain, i, wider))
        if not gains:
            break
        _, joined, span = max(gains)
        have |= found[joined]
        first, last = min(first, joined), max(last, joined)
    return span


def _cut(text: str, sentence: Span, focus: Span | None, question: str) -> Span:
    """Return at most 420 code points of a long sentence, from word to word, around the answer.

    Without a highlight the answer is taken to stand where most of the question's words are.
    """
    bounds = [sentence.start]
    for gap in _WORD_GAP.finditer(text, sentence.start, sentence.end):
        bounds.append(gap.end())
    wanted = set(question_terms(question))
    best: tuple[float, Span] | None = None
    for start in bounds:
        end = min(start + MAX_QUOTE, sentence.end)
        if end < sentence.end:
            gap_start = max(
                (m.start() for m in _WORD_GAP.finditer(text, start, end + 1)), default=end
            )
            end = gap_start if gap_start > start else end
        window = Span(start, end)
        score = float(len(wanted & terms(window.slice(text))))
        if focus is not None and window.contains(focus):
            off_centre = abs((focus.start - start) - (end - focus.end)) / MAX_QUOTE
            score += len(wanted) + 1 - off_centre
        if best is None or score > best[0]:
            best = (score, window)
        if end == sentence.end:
            break
    return best[1] if best else Span(sentence.start, sentence.start + MAX_QUOTE)


def _citation(
    number: int, item: Evidence, span: Span, *, story: int, copies: Sequence[Revision]
) -> Citation:
    keep = item.highlight is not None and span.contains(item.highlight)
    return Citation(
        number=number,
        revision=item.revision,
        span=span,
        score=item.rank_score,
        highlight=item.highlight if keep else None,
        speaker=item.speaker,
        cut_before=span.start > item.span.start,
        cut_after=span.end < item.span.end,
        story=story,
        carriers=carried_by(item.revision, span.slice(item.revision.text), copies),
    )


def surroundings(text: str, span: Span, *, limit: int) -> Span:
    """Return the paragraph that a quote stands in, with neighbours while all fit in `limit`.

    A longer paragraph is cut to a window of `limit` code points around the quote, which must be
    shorter than that.
    """
    paragraphs = paragraph_spans(text)
    inside = [i for i, p in enumerate(paragraphs) if p.overlaps(span)]
    first, last = inside[0], inside[-1]
    found = Span(paragraphs[first].start, paragraphs[last].end)
    if len(found) > limit:
        start = max(found.start, span.start - (limit - len(span)) // 2)
        return Span(start, min(found.end, start + limit))
    for near in (last + 1, first - 1):
        if 0 <= near < len(paragraphs):
            other = paragraphs[near]
            wider = Span(min(found.start, other.start), max(found.end, other.end))
            found = wider if len(wider) <= limit else found
    return found
