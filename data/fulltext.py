import re

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

# A letter keeps its combining marks: `ọ̀` has no single code point.
WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
# Scripts written without spaces: each character is indexed as a word of its own.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003134f])"
)


def index_text(text: str) -> str:
    """Return the text as the full-text index reads it: composed, unspaced scripts spaced out."""
    return _UNSPACED.sub(r" \1 ", normalise(text))


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
