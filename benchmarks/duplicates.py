"""Are copies of a story found, and nothing else? Copies and other stories made from real ones.

Data: the part `background`, see README. Its stories are edited at random, with fixed seeds, as
publishers edit what an agency sends; and made into what is no copy: follow-ups over old paragraphs,
updates with other figures, live pages. Added are the pairs of its own stories that share most.
Thresholds are chosen on one half of the stories (`_a`) and confirmed on the other (`_b`).
"""

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from statistics import fmean

from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import arguments, console, report
from data.models import Attribution, normalise
from data.plaintext import title_from
from data.signatures import MIN_RESEMBLANCE, Lead, shingles, signature, words_of
from index.chunking import Chunker
from index.duplicates import Story, is_copy, same_beginning
from index.encoder import Encoder
from index.encoders import DEFAULT_ENCODER, load_encoder
from index.preparation import encoded_text
from index.sentences import paragraph_spans, sentence_spans

ORIGINALS = 120
WORDS = range(150, 3000)  # of an original
MAX_REPEATED = 2  # a text that stands there more often is a page of the publisher's, no story
# Share of the shorter text's shingles from which two of the set are a pair, and are copies.
NATURAL_SHARED, NATURAL_COPY = 0.1, 0.9

Paragraphs = list[list[str]]

PEOPLE = ("Ann Hart", "Omar Silva", "Chloe Liu", "Paul Novak", "Greta Khan", "John Doyle")
AGENCIES = ("The Associated Press", "Reuters", "Agence France-Presse", "States Newsroom")
BYLINES = ("By {who}", "By {who}, {agency}", "{who} | {agency}", "Updated 4:12 PM, Jan. 7, 2022")
BEFORE = (
    "This story was originally published by {agency}.",
    "Sign up for our free morning newsletter and never miss a story.",
    "{agency} is solely responsible for the content of this story.",
)
BEHIND = (
    "Copyright 2023 {agency}. All rights reserved.",
    "{who} contributed to this report.",
    "Subscribe now for just $1 a week and get unlimited access to every story.",
    "Comments are closed. They are moderated according to our guidelines.",
)
_SYNONYMS = """said:stated but:however about:around also:additionally people:persons the:a can:may
big:large many:numerous because:since began:started nearly:almost after:following during:amid and:&
officials:authorities last:past home:house used:utilized first:initial over:above show:indicate"""
SYNONYMS = dict(pair.split(":") for pair in _SYNONYMS.split())
_SPELLINGS = 'U.S.:US center:centre color:colour program:programme ized:ised —:-- “:" ”:" ’:\''
SPELLINGS = [pair.split(":") for pair in _SPELLINGS.split()]
SURNAMES = ("Castellano", "Eastwick", "Hollander", "Kavanagh", "Nakamura", "Pemberton", "Zielinski")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, whether one is a copy of the other, and which half they belong to."""

    kind: str
    copy: bool
    one: str
    two: str
    half: str


def paragraphs(text: str) -> Paragraphs:
    """Return the sentences of each paragraph."""
    sentences = [(span, span.slice(text)) for span in sentence_spans(text)]
    return [[s for span, s in sentences if p.contains(span)] for p in paragraph_spans(text)]


def joined(found: Paragraphs) -> str:
    """Return the text with these paragraphs."""
    return normalise("\n\n".join(" ".join(p) for p in found if p))


def _kept(found: Paragraphs, keep: Callable[[int], bool]) -> Paragraphs:
    """Return the paragraphs with the sentences whose numbers are kept."""
    numbers = iter(range(sum(map(len, found))))
    return [[s for s in p if keep(next(numbers))] for p in found]


def _filled(line: str, random: Random) -> list[str]:
    return [line.format(who=random.choice(PEOPLE), agency=random.choice(AGENCIES))]


def _dropped(found: Paragraphs, random: Random) -> Paragraphs:
    total = sum(map(len, found))
    gone = set(random.sample(range(total), round(total * random.uniform(0.1, 0.4))))
    return _kept(found, lambda number: number not in gone)


def _cut(found: Paragraphs, random: Random) -> Paragraphs:
    end = max(3, round(sum(map(len, found)) * random.uniform(0.4, 0.9)))
    return _kept(found, lambda number: number < end)


def _bylined(found: Paragraphs, random: Random) -> Paragraphs:
    dateline = f"{random.choice(('LONDON', 'SEOUL'))} ({random.choice(AGENCIES)}) — "
    body = [[dateline + " ".join(found[0])], *found[1:]] if random.random() < 0.5 else found
    return [_filled(random.choice(BYLINES), random), *body]


def _surrounded(found: Paragraphs, random: Random) -> Paragraphs:
    before = random.sample(BEFORE, random.randint(0, 3))
    behind = random.sample(BEHIND, random.randint(0, 4))
    return [*(_filled(b, random) for b in before), *found, *(_filled(b, random) for b in behind)]


def _reworded(found: Paragraphs, random: Random) -> Paragraphs:
    rate = random.uniform(0.01, 0.08)

    def change(sentence: str) -> str:
        words: list[str] = []
        for word in sentence.split():
            what = random.choice(("synonym", "drop", "add", "swap"))
            if random.random() >= rate:
                words.append(word)
            elif what != "drop":
                words.insert(len(words) - (what == "swap"), SYNONYMS.get(word, word))
                words += ["reportedly"] if what == "add" else []
        return " ".join(words)

    return [[change(sentence) for sentence in p] for p in found]


def _respelled(found: Paragraphs, random: Random) -> Paragraphs:
    text = "\n".join("\t".join(p) for p in found)
    for old, new in random.sample(SPELLINGS, len(SPELLINGS) // 2):
        text = text.replace(old, new)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return [p.split("\t") for p in text.split("\n")]


def _reset(found: Paragraphs, random: Random) -> Paragraphs:
    """Return the sentences in other paragraphs, with links to other stories between them."""
    sentences = [[s] for p in found for s in p]
    for _ in range(random.randint(0, 3)):
        at = random.randint(1, len(sentences))
        sentences.insert(at, [f"READ MORE: What {random.choice(PEOPLE)} says about taxes"])
    return sentences


_EDITS = (_dropped, _cut, _bylined, _reworded, _respelled, _reset, _surrounded)
EDITS: dict[str, Callable[[Paragraphs, Random], Paragraphs]] = {
    edit.__name__[1:]: edit for edit in _EDITS
}


def copy_of(text: str, random: Random, *, title: str = "", kinds: tuple[str, ...] = ()) -> str:
    """Return a copy of a story with the named edits, or with some that are drawn."""
    found = [p for p in paragraphs(text) if p]
    for kind in kinds or [kind for kind in EDITS if random.random() < 0.5] or ["dropped"]:
        found = [p for p in EDITS[kind](found, random) if p]
    return joined([[title], *found] if title and random.random() < 0.5 else found)


def _lead(text: str, random: Random) -> Paragraphs:
    prose = [[s] for p in paragraphs(text) for s in p if len(s.split()) >= 10 and s[-1] == "."]
    return prose[: random.randint(3, 6)]


def _figures(text: str, random: Random) -> str:
    share = random.choice((0.3, 0.6, 1.0))

    def change(found: re.Match[str]) -> str:
        return str(int(found[0]) + random.randint(1, 9)) if random.random() < share else found[0]

    return re.sub(r"\d{1,15}", change, text)


def _names(text: str, random: Random) -> str:
    common = [name for name, _ in Counter(_NAME.findall(text)).most_common(6)]
    for name in random.sample(common, min(len(common), random.randint(2, 4))):
        text = re.sub(rf"\b{name}\b", random.choice(SURNAMES), text)
    return text


def others_of(text: str, other: str, random: Random) -> Iterator[tuple[str, str]]:
    """Yield stories that are no copies of one, each with its kind; `other` gives the news."""
    mine, news = paragraphs(text), paragraphs(other)
    background = mine[-max(1, round(len(mine) * random.uniform(0.25, 0.5))) :]
    yield "follow_up", joined(news[: 2 * len(background)] + background)
    number = random.randint(1, 4)
    yield "update", _figures(joined(_lead(other, random) + _kept(mine, number.__le__)), random)
    yield "new_lead", joined(_lead(other, random) + mine)
    yield "figures", _figures(text, random)
    yield "names", _names(text, random)
    yield "template", _figures(_names(text, random), random)
    yield "live_page", joined(news[: random.randint(5, 30)] + mine)
    yield "unrelated", other


def load(data: Path) -> list[str]:
    """Return the texts of the stories, in their order."""
    with gzip.open(data / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [normalise(json.loads(line)["text"]) for line in lines]
    times = Counter(texts)
    return [text for text in texts if times[text] <= MAX_REPEATED]


def made_pairs(texts: list[str]) -> Iterator[Pair]:
    """Yield copies of stories, pairs of two copies of one story, and what is no copy."""
    pool = [number for number, text in enumerate(texts) if len(text.split()) in WORDS]
    for turn, number in enumerate(Random(0).sample(pool, ORIGINALS)):
        random, text, half = Random(number), texts[number], ("_a", "_b")[number % 2]
        other, kind = texts[random.choice(pool)], list(EDITS)[turn % len(EDITS)]
        title = other.split("\n", 1)[0][:100]
        yield Pair(kind, True, text, copy_of(text, random, kinds=(kind,)), half)
        for _ in range(2):
            yield Pair("several", True, text, copy_of(text, random, title=title), half)
        one, two = copy_of(text, random), copy_of(text, random, title=title)
        yield Pair("two_copies", True, one, two, half)
        for name, made in others_of(text, other, random):
            lines = [k for k in ("bylined", "surrounded", "respelled") if random.random() < 0.4]
            edited = copy_of(made, random, kinds=(*lines, "reset")) if lines else made
            if made != text:
                yield Pair(name, False, text, edited, half)


def natural_pairs(texts: list[str]) -> Iterator[Pair]:
    """Yield the pairs of stories as they are that share most.

    Of copies nearly all is shared; others are later reports, live pages and yearly stories.
    """
    found = [frozenset(shingles(words_of(text))) for text in texts]
    holders: dict[int, list[int]] = defaultdict(list)
    for number, text in enumerate(track(texts, "Signing", console=console)):
        for band in signature(text).bands:
            holders[band].append(number)
    together = {(a, b) for held in holders.values() for b in held for a in held if a < b}
    for a, b in sorted(together):
        shared = len(found[a] & found[b]) / min(len(found[a]), len(found[b]))
        if shared >= NATURAL_SHARED:
            kind = "natural_copy" if shared >= NATURAL_COPY else "natural_other"
            yield Pair(kind, shared >= NATURAL_COPY, texts[a], texts[b], ("_a", "_b")[a % 2])


def _leads(texts: list[str], encoder: Encoder) -> dict[str, Lead]:
    """Return the vectors of the beginnings of the texts, as the index holds them."""
    cut = Chunker(encoder.token_spans).chunk
    first = ((Attribution(title_from(text)), text, cut(text)[0]) for text in texts)
    rows = encoder.encode_documents([encoded_text(*chunk) for chunk in first])
    made_by = encoder.identity.weights_hash
    return {text: Lead(made_by, row.tobytes()) for text, row in zip(texts, rows, strict=True)}


def decided(pairs: list[Pair]) -> list[bool]:
    """Return of each pair whether it is found to be copies."""
    signed = lru_cache(maxsize=None)(signature)
    likely = []
    for pair in track(pairs, "Comparing", console=console):
        one, two = signed(pair.one), signed(pair.two)
        candidate = not set(one.bands).isdisjoint(two.bands)
        if candidate and one.resemblance(two.minhash) >= MIN_RESEMBLANCE:
            likely += [pair] if is_copy(Story(pair.one), Story(pair.two)) else []
    texts = sorted({text for pair in likely for text in (pair.one, pair.two)})
    leads = _leads(texts, load_encoder(DEFAULT_ENCODER, cache=None))
    found = {p for p in likely if same_beginning(leads[p.one], leads[p.two])}
    return [pair in found for pair in pairs]


def measure(data: Path) -> dict[str, float]:
    """Return precision and recall, on all and on each half, and the share found of each kind."""
    texts = load(data)
    pairs = [*made_pairs(texts), *natural_pairs(texts)]
    found = decided(pairs)
    figures: dict[str, float] = {}
    for half in ("", "_a", "_b"):
        hits = [(p, is_found) for p, is_found in zip(pairs, found, strict=True) if half in p.half]
        figures[f"precision{half}"] = fmean(pair.copy for pair, is_found in hits if is_found)
        figures[f"recall{half}"] = fmean(is_found for pair, is_found in hits if pair.copy)
    figures["pairs"] = len(pairs)
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        of_kind = [f for p, f in zip(pairs, found, strict=True) if p.kind == kind]
        figures |= {f"found_{kind}": fmean(of_kind), f"pairs_{kind}": len(of_kind)}
    return figures


def main() -> None:
    """Run the benchmark."""
    options = arguments(__doc__ or "").parse_args()
    report("Copies of one story", dict(measure(options.data)), options.json)


if __name__ == "__main__":
    main()
