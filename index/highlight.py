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
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]*\.?"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_YEAR = r"(?:19|20)\d\d"
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


def _names(sentence: str, asked: frozenset[str]) -> list[re.Match[str]]:
    """Return the names in a sentence that the question does not hold itself."""
    found = []
    for match in _NAME.finditer(sentence):
        words = terms(match[0])
        opens = match.start() == 0 and " " not in match[0]  # a capital that means nothing
        if words - asked and not opens:
            found.append(match)
    return found


def typed_spans(question: str, sentence: str) -> list[tuple[int, int]]:
    """Return the ranges of a sentence that are of the kind that the question asks for."""
    kind = answer_type(question)
    asked = frozenset(question_terms(question))
    if kind is AnswerType.PERSON:
        found = _names(sentence, asked)
    elif kind is AnswerType.OTHER:
        return []
    else:
        pattern = {
            AnswerType.TIME: _TIME,
            AnswerType.NUMBER: _NUMBER,
            AnswerType.SPEECH: _SPEECH,
        }[kind]
        found = [m for m in pattern.finditer(sentence) if terms(m[0]) - asked]
    return [match.span() for match in found]


def highlight(question: str, text: str, sentence: Span) -> Span | None:
    """Return the part of a sentence that looks like the answer, or None where nothing does.

    The first range of the kind that the question asks for: a name, a time, a number, or words in
    quotation marks. It only chooses what is emphasised.
    """
    found = typed_spans(question, sentence.slice(text))
    if not found:
        return None
    start, end = found[0]
    return Span(sentence.start + start, sentence.start + end)
