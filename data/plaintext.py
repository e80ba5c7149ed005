import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml
from charset_normalizer import from_bytes

from data.errors import StoryRefusedError
from data.segmenter import sentence_ranges

_TITLE_LOOKS_AT = 1000  # characters of the first line
_MAX_TITLE = 120  # characters of a title that is made from the text
_EOL = r"(?:\r\n|\r|\n)"
_FRONT_MATTER = re.compile(
    rf"\A\ufeff?---[ \t]*{_EOL}(.{{0,10000}}?){_EOL}(?:---|\.\.\.)[ \t]*(?:{_EOL}|\Z)", re.S
)
_DATE_LINE = re.compile(r"\A\s*date[ \t]+(\d{4}-\d{2}-\d{2})[ \t]+", re.I)
_HEADING = re.compile(r"\A\s*#[ \t]+([^\r\n]+?)[ \t#]*(?:\r?\n|\Z)")
_PLAIN_PAIR = re.compile(r"[ \t]*([A-Za-z_-]+)[ \t]*:[ \t]*(.*?)[ \t\r]*")

# Names that front matter uses for one thing.
_ALIASES = {
    "title": ("title", "headline"),
    "source": ("source", "publisher", "site"),
    "author": ("author", "authors", "byline"),
    "published_at": ("published_at", "date", "published", "pubdate"),
    "url": ("url", "link", "canonical_url"),
    "id": ("id", "external_id"),
}
_YAML_NULLS = ("", "~", "null")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Share of undecodable noise above which a guess at an old encoding is not believed.
_MAX_CHAOS = 0.1
_MAX_CONTROL_SHARE = 0.01
_WESTERN = "cp1252"


@dataclass(frozen=True, slots=True)
class StoryParts:
    """A text file taken apart: the story's own text, and what stood in front of it."""

    text: str
    fields: Mapping[str, str] = field(default_factory=dict)


def decode(raw: bytes, name: str) -> str:
    """Return the characters of a text file: UTF-8, UTF-16 with a mark, or a detected encoding.

    Raises:
        StoryRefusedError: if the file is empty, binary, or in no encoding that can be told.
    """
    if not raw.strip():
        raise StoryRefusedError(f"{name} is empty.")
    if raw.startswith(_UTF16_MARKS):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise StoryRefusedError(f"{name} is damaged: it is not sound UTF-16.") from error
    if b"\x00" in raw:
        raise StoryRefusedError(f"{name} is a binary file, not a text.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _guessed(raw)
    if text is None or _control_share(text) > _MAX_CONTROL_SHARE:
        raise StoryRefusedError(f"{name} is not UTF-8, and its encoding cannot be told.")
    return text


def _guessed(raw: bytes) -> str | None:
    """Return the characters in the encoding that fits best, or None where none surely does.

    Windows-1252, which most such files in the West are in, wins a draw: for a short text the
    detector would as soon take a sister encoding, and turn one letter into another.
    """
    matches = from_bytes(raw)
    best = matches.best()
    if best is None or best.chaos > _MAX_CHAOS:
        return None
    for match in matches:
        if _WESTERN in (match.encoding, *match.could_be_from_charset):
            if match.chaos <= best.chaos:
                return raw.decode(_WESTERN, "strict") if _decodes(raw) else str(match)
            break
    return str(best) if best.coherence > 0 else None


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode(_WESTERN)
    except UnicodeDecodeError:
        return False
    return True


def _control_share(text: str) -> float:
    return sum(not c.isprintable() and not c.isspace() for c in text) / max(len(text), 1)


def split_story(text: str) -> StoryParts:
    """Return the story's text without what stands in front of it, and the fields found there.

    Known are YAML front matter, a first line that begins `date YYYY-MM-DD ` and runs into the
    text, and a first Markdown heading, which is the title. Nothing behind them is changed.

    Raises:
        StoryRefusedError: if there is front matter that cannot be read.
    """
    fields: dict[str, str] = {}
    if match := _FRONT_MATTER.match(text):
        found = _front_matter(match[1])
        if found is not None:
            fields, text = found, text[match.end() :].lstrip("\r\n")
    if match := _DATE_LINE.match(text):
        fields.setdefault("published_at", match[1])
        text = text[match.end() :]
    elif (match := _HEADING.match(text)) and match[1] == fields.setdefault("title", match[1]):
        text = text[match.end() :].lstrip("\r\n")
    return StoryParts(text.removeprefix("\ufeff"), fields)


def _front_matter(block: str) -> dict[str, str] | None:
    """Return the known fields of a YAML block; None where it is no mapping, so not front matter.

    Everything is read as text, so that a date keeps the precision it came with. People write
    `title: One thing: another` without quotation marks, which is no YAML; it is read all the same.
    """
    try:
        # BaseLoader builds strings, lists and mappings only, never objects.
        loaded = yaml.load(block, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        pairs = [_PLAIN_PAIR.fullmatch(line) for line in block.splitlines() if line.strip()]
        if not all(pairs):
            raise StoryRefusedError(
                "The block between the --- lines at the top cannot be read as YAML: "
                f"{str(error).splitlines()[0]}."
            ) from error
        loaded = {pair[1]: pair[2].strip("\"'") for pair in pairs if pair}
    if not isinstance(loaded, dict):
        return None
    loaded = {str(key).lower(): value for key, value in loaded.items()}
    if not any(alias in loaded for aliases in _ALIASES.values() for alias in aliases):
        return None  # two rules around a line of the story
    fields = {}
    for name, aliases in _ALIASES.items():
        for alias in aliases:
            value = loaded.get(alias)
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                value = ", ".join(value)
            if isinstance(value, str) and value.strip().lower() not in _YAML_NULLS:
                fields[name] = value.strip()
                break
    return fields


def title_from(text: str) -> str:
    """Return a title made from the text's first sentence, at most 120 characters.

    A longer one is cut between words and ends in an ellipsis.
    """
    lines = (_UNPRINTED.sub(" ", line).strip() for line in text.splitlines())
    first = next(filter(None, lines), "")
    first_part = first[:_TITLE_LOOKS_AT]
    sentences = (" ".join(first_part[a:b].split()) for a, b in sentence_ranges(first_part))
    sentence = next((s for s in sentences if s.strip(".… ")), first) or "untitled"
    if len(sentence) <= _MAX_TITLE:
        return sentence.rstrip(".") or sentence
    cut = sentence[:_MAX_TITLE].rsplit(" ", 1)[0][: _MAX_TITLE - 1]
    return cut.rstrip(" ,;:.-–—") + "…"
