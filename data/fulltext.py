import re
import unicodedata

from data.models import normalise

# Words that say nothing about a story's subject. Question words are among them; names, numbers
# and negations of substance are not.
_STOP_WORDS = """
    a about above after again against ain all also am an and any are aren as at be because been
    before being below between both but by can could couldn d did didn do does doesn doing don
    down during each few for from further had hadn has hasn have haven having he her here hers
    herself him himself his how i if in into is isn it its itself just ll m me more most mustn my
    myself nor not now o of off on once only or other our ours ourselves out over own re s same
    shan she should shouldn so some such t than that the their theirs them themselves then there
    these they this those through to too under until up ve very was wasn we were weren what when
    where which while who whom whose why will with won would wouldn y you your yours yourself
    yourselves please tell
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
# More question words than this add time and no evidence.
MAX_QUERY_WORDS = 64

# SQLite's tokenizer unicode61 takes the vowel signs of Indian and related scripts for separators,
# and private-use characters for letters; so each such sign is indexed as `_PRIVATE` plus its code.
_PRIVATE = 0xF0000
_SIGN = re.compile(
    "(?!\\w)[\u0780-\u07bf\u0900-\u0dff\u0f00-\u0fff\u1700-\u177f\u1800-\u1cff\ua800-\uabff]"
)
# A letter keeps its combining marks: `ọ̀` has no single code point.
WORD = re.compile(r"(?:(?:[^\W_]|[\U000f0000-\U000fffff])[\u0300-\u036f]*)+")
# Left out of the index, since most writers leave them out: Hebrew and Arabic vowel marks, the
# joiner inside words, and what chooses between shapes of one character.
_OPTIONAL = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u08ca-\u08ff\u200d\ufe00-\ufe0f]"
)
# Scripts written without spaces: each character is indexed as a word of its own.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003134f])"
)


def _as_letter(sign: re.Match[str]) -> str:
    """Return the stand-in of a combining mark; any other sign stays as it is."""
    mark = unicodedata.category(sign[0]).startswith("M")
    return chr(_PRIVATE + ord(sign[0])) if mark else sign[0]


def index_text(text: str) -> str:
    """Return the text as the full-text index reads it; it is searched and never shown.

    It is composed, unspaced scripts are spaced out, optional vowel marks are left out, and the
    other combining marks are written so that they do not part their word.
    """
    if text.isascii():
        return text
    spaced = _UNSPACED.sub(r" \1 ", _OPTIONAL.sub("", normalise(text)))
    return _SIGN.sub(_as_letter, spaced)


def query_words(question: str) -> list[str]:
    """Return the distinct lower-case content words of a question, in order, at most 64.

    A question of nothing but stop words ("Who is he?") returns them all, so that it can still
    be looked for.
    """
    words = list(dict.fromkeys(WORD.findall(index_text(question.lower()))))
    content = [word for word in words if word not in STOP_WORDS]
    return (content or words)[:MAX_QUERY_WORDS]


def match_expression(words: list[str]) -> str:
    """Return an FTS5 query that finds rows with at least one of the words.

    Each word is quoted, so that nothing in it is FTS5 syntax.
    """
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
