import re
from enum import StrEnum

from data.models import Span
from index.terms import question_terms, terms


class AnswerType(StrEnum):
    """The kind of thing that a question asks for, as far as its first words tell."""

    PERSON = "person"
    TIME = "time"
    NUMBER = "number"
    SPEECH = "speech"
    OTHER = "other"


_ASKS = (
    (
        AnswerType.NUMBER,
        r"\bhow (?:many|much|old|long|far|often|big|large|tall)\b"
        r"|\bwhat (?:number|percentage|amount|age)\b",
    ),
    (AnswerType.TIME, r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b"),
    (AnswerType.PERSON, r"\bwho(?:m|se)?\b"),
    (
        AnswerType.SPEECH,
        r"\b(?:say|says|said|call|calls|called|describe|describes|described|label|labell?ed)\b",
    ),
)
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTH = rf"(?:(?:{_MONTHS})\b|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_YEAR = r"(?:19|20)\d\d"
_YEAR_ALONE = re.compile(r"1[5-9]\d\d|20\d\d")
_PRICE = re.compile(r"\bhow much\b.*\b(?:cost|pay|paid|price|worth|sell|sold|spend|spent|raise)")
_MONEY = re.compile(r"[$€£]|\b(?:dollars|euros|pounds)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_TIME = re.compile(
    r"(?:since |in |on |by |until )?"
    rf"(?:(?:early |late |mid-)?(?:\d{{1,2}} )?{_MONTH}(?: \d{{1,2}}\b)?(?:,? {_YEAR})?"
    rf"|{_WEEKDAY}|{_YEAR}s?|last (?:week|month|year|night)|yesterday|today)\b"
)
_COUNT_WORDS = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?"
)
_UNITS = (
    r"million|billion|trillion|thousand|percent|per cent|people|years?(?:[ -]old)?|months?|weeks?"
    r"|days?|hours?|minutes?|miles?|kilomet(?:er|re)s?|dollars|euros|pounds"
)
_NUMBER = re.compile(
    rf"(?:[$€£] ?)?\b(?:\d[\d,]*(?:\.\d+)?|{_COUNT_WORDS})\b(?:%|(?:[ -](?:{_UNITS})\b)*)",
    re.IGNORECASE,
)
_DIGITS = re.compile(rf"\d[\d,.]*\d|\d|\b(?:{_COUNT_WORDS})\b")
_WORD_IN_NAME = r"[A-Z][\w’'-]*\.?"
_NAME = re.compile(
    rf"\b[A-Z][\w’'-]*(?:\.(?= [A-Z]))?"
    rf"(?: (?:{_WORD_IN_NAME}|of|the|de|van|von|al|bin)(?= [A-Z])| [A-Z][\w’'-]*)*"
)
_SPEECH = re.compile(r"“[^”]{2,}”|\"[^\"]{2,}\"|‘[^’]{2,}’(?!\w)")


def answer_type(question: str) -> AnswerType:
    """Return what kind of thing the question asks for."""
    lowered = question.lower()
    return next((kind for kind, asks in _ASKS if re.search(asks, lowered)), AnswerType.OTHER)


def _names(sentence: str) -> list[re.Match[str]]:
    """Return names of two words or more, which are seldom anything but a person or a body."""
    return [
        match for match in _NAME.finditer(sentence) if " " in match[0] and not _TIME.match(match[0])
    ]


def _numbers(question: str, sentence: str) -> list[re.Match[str]]:
    """Return numbers that are no dates; only sums of money where a price is asked for."""
    dates = [match.span() for match in _TIME.finditer(sentence)]
    money = _PRICE.search(question.lower()) is not None
    return [
        match
        for match in _NUMBER.finditer(sentence)
        if not _YEAR_ALONE.fullmatch(match[0])
        and not any(start <= match.start() < end for start, end in dates)
        and (not money or _MONEY.search(match[0]))
    ]


def typed_spans(question: str, sentence: str) -> list[tuple[int, int]]:
    """Return the ranges of a sentence that are of the kind that the question asks for.

    What the question itself holds is no answer to it.
    """
    kind = answer_type(question)
    if kind is AnswerType.PERSON:
        found = _names(sentence)
    elif kind is AnswerType.NUMBER:
        found = _numbers(question, sentence)
        given = set(_DIGITS.findall(question.lower()))  # a shared unit ("people") is no reason
        return [m.span() for m in found if not given & set(_DIGITS.findall(m[0].lower()))]
    elif kind is AnswerType.TIME:
        found = list(_TIME.finditer(sentence))
    elif kind is AnswerType.SPEECH:
        found = list(_SPEECH.finditer(sentence))
    else:
        return []
    asked = frozenset(question_terms(question))
    return [match.span() for match in found if not terms(match[0]) & asked]


def highlight(question: str, text: str, sentence: Span) -> Span | None:
    """Return the part of a sentence that looks like the answer, or None where nothing surely does.

    It is of the kind that the question asks for: a name, a number, a time, or words in quotation
    marks. With several, the one that stands nearest to the question's own words is taken, and
    among names none, since two names in one sentence are too often a wrong and a right one.
    It only chooses what is emphasised.
    """
    body = sentence.slice(text)
    found = typed_spans(question, body)
    if not found or (len(found) > 1 and answer_type(question) is AnswerType.PERSON):
        return None
    asked = set(question_terms(question))
    places = [m.start() for m in _WORD.finditer(body) if terms(m[0]) & asked]

    def distance(span: tuple[int, int]) -> int:
        return min((abs(place - span[0]) for place in places), default=span[0])

    start, end = min(found, key=distance)
    return Span(sentence.start + start, sentence.start + end)
