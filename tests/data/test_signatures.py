import subprocess
import sys

import pytest

from data.articles import ArticleStore
from data.database import Database, scalar, write
from data.models import Revision
from data.signatures import (
    BAND_ROWS,
    COMPARED_LENGTH,
    MAX_CANDIDATES,
    PERMUTATIONS,
    SIGNATURE_VERSION,
    Lead,
    Signature,
    SignatureStore,
    shingles,
    signature,
    words_of,
)
from data.standing import StandingStore
from tests.data.conftest import RECIPE, VECTOR, add_chunks, draft

FERRY = (
    "The ferry to the island ran aground on Monday. All of its passengers were brought ashore. "
    "The captain said that fog had hidden the light."
)
BRIDGE = "The mayor opened the new bridge. It had cost the town three years and a festival."


def stored(db: Database, text: str = FERRY, *, bands: tuple[int, ...] | None = None) -> Revision:
    """Return the revision of a new story, stored with its signature or with the given bands."""
    revision = ArticleStore(db).save(draft(text, source=str(bands))).revision
    made = signature(text)
    put(db, revision.id, made if bands is None else Signature(1, made.minhash, bands))
    return revision


def put(db: Database, revision_id: int, made: Signature) -> None:
    with write(db):
        SignatureStore(db).put(revision_id, made)


# --- signatures


def test_a_text_has_one_signature_whatever_process_makes_it() -> None:
    made = signature(FERRY)
    assert signature(FERRY) == made
    code = f"from data.signatures import signature; print(signature({FERRY!r}).bands[0])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert int(ran.stdout) == made.bands[0]


def test_a_signature_stays_what_it_is_while_its_version_does() -> None:
    made = signature("One two three four five.")
    pinned = (1, "0a95b71f16c20415", -8694033099089274281)
    assert (SIGNATURE_VERSION, made.minhash[:8].hex(), min(made.bands)) == pinned


def test_a_signature_has_a_fixed_size() -> None:
    made = signature(FERRY)
    assert len(made.minhash) == 4 * PERMUTATIONS
    assert len(made.bands) == PERMUTATIONS // BAND_ROWS
    assert all(-(2**63) <= band < 2**63 for band in made.bands)


def test_case_marks_and_white_space_make_no_difference() -> None:
    assert signature(FERRY) == signature(FERRY.upper().replace(". ", "!\n\n"))


def test_texts_that_share_much_share_a_band_and_others_do_not() -> None:
    one, cut, other = signature(FERRY), signature(FERRY[:-20]), signature(BRIDGE)
    assert set(one.bands) & set(cut.bands)
    assert not set(one.bands) & set(other.bands)


def test_resemblance_is_the_share_of_common_shingles() -> None:
    words = [f"w{number}" for number in range(403)]
    one, half = signature(" ".join(words)), signature(" ".join(words[:203]))
    assert one.resemblance(one.minhash) == 1
    assert one.resemblance(half.minhash) == pytest.approx(200 / 400, abs=0.12)
    assert one.resemblance(signature(FERRY).minhash) == 0


@pytest.mark.parametrize("text", ["", " \n", "!!! ... ???"])
def test_a_text_without_words_shares_a_band_with_nothing(text: str) -> None:
    assert signature(text).bands == ()


def test_what_stands_far_behind_is_not_compared() -> None:
    long = "word after word " * (COMPARED_LENGTH // 16 + 1)
    assert signature(long[:COMPARED_LENGTH] + FERRY) == signature(long[:COMPARED_LENGTH] + BRIDGE)


def test_a_damaged_text_has_a_signature_too() -> None:
    assert signature("It was \udcff damaged in the database.").bands


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It cost $1,250,000.", ["It", "cost", "1250000"]),
        ("In the U.S. Senate at 5 p.m.", ["In", "the", "US", "Senate", "at", "5", "pm"]),
        ("新桥将于", ["新", "桥", "将", "于"]),
        ("Two men, J. Hart, 3.5", ["2", "men", "J", "Hart", "3", "5"]),
        ("", []),
    ],
)
def test_words_are_read_as_people_mean_them(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["Two", "men"], [("two", "men")]),
        (list("abcd"), [tuple("abcd")]),
        (list("ABCDE"), [tuple("abcd"), tuple("bcde")]),
    ],
)
def test_shingles_are_runs_of_four_words(words: list[str], expected: list[tuple[str]]) -> None:
    assert shingles(words) == expected


def test_vectors_of_different_encoders_are_not_compared() -> None:
    one = Lead("a" * 64, VECTOR)
    assert one.cosine(one) == 1
    assert one.cosine(Lead("b" * 64, VECTOR)) is None
    assert one.cosine(Lead("a" * 64, VECTOR + VECTOR)) is None


# --- the store


def test_a_signature_is_given_back_as_it_was_stored(db: Database) -> None:
    revision = stored(db)
    assert SignatureStore(db).get(revision.id) == signature(FERRY)
    assert SignatureStore(db).get(revision.id + 1) is None


def test_candidates_share_a_band(db: Database) -> None:
    one = stored(db, bands=(-5, 7))
    two = stored(db, BRIDGE, bands=(7, 8))
    stored(db, "A third story about rain.", bands=(9,))
    store = SignatureStore(db)
    assert store.candidates([7]) == [one.id, two.id]
    assert store.candidates([-5, 8, 100]) == [one.id, two.id]
    assert store.candidates([8]) == [two.id]
    assert store.candidates([]) == []


def test_the_largest_bands_are_found(db: Database) -> None:
    revision = stored(db, bands=(-(2**63), 2**63 - 1))
    assert SignatureStore(db).candidates([2**63 - 1]) == [revision.id]
    assert SignatureStore(db).candidates([-(2**63)]) == [revision.id]


def test_a_new_revision_takes_the_place_of_the_earlier_one(db: Database) -> None:
    url = "https://example.org/ferry"
    articles, store = ArticleStore(db), SignatureStore(db)
    first = articles.save(draft(FERRY, url=url)).revision
    put(db, first.id, signature(FERRY))
    second = articles.save(draft(BRIDGE, url=url)).revision
    assert store.candidates(signature(FERRY).bands) == [], "the text is no longer current"
    put(db, second.id, signature(BRIDGE))
    assert store.get(first.id) is None
    assert store.candidates(signature(BRIDGE).bands) == [second.id]


def test_storing_a_signature_twice_keeps_the_last(db: Database) -> None:
    revision = stored(db)
    put(db, revision.id, signature(BRIDGE))
    assert SignatureStore(db).get(revision.id) == signature(BRIDGE)
    assert SignatureStore(db).candidates(signature(FERRY).bands) == []


def test_a_removed_story_leaves_nothing_behind(db: Database) -> None:
    revision = stored(db)
    kept = stored(db, BRIDGE)
    ArticleStore(db).remove(revision.article_id)
    assert scalar(db, "SELECT count(*) FROM signatures") == 1
    assert scalar(db, "SELECT count(DISTINCT revision_id) FROM signature_bands") == 1
    assert SignatureStore(db).candidates(signature(BRIDGE).bands) == [kept.id]


def test_a_withdrawn_story_is_no_candidate(db: Database) -> None:
    revision = stored(db)
    StandingStore(db).withdraw(revision.article_id)
    assert SignatureStore(db).candidates(signature(FERRY).bands) == []


def test_the_most_alike_are_likely_and_not_more_than_can_be_read(db: Database) -> None:
    found = [stored(db, f"{FERRY} {number}") for number in range(MAX_CANDIDATES + 3)]
    last = stored(db, FERRY)
    likely = SignatureStore(db).likely(signature(FERRY))
    assert len(likely) == MAX_CANDIDATES
    assert last.id in likely
    assert set(likely) <= {last.id, *(revision.id for revision in found)}


def test_a_band_in_common_by_accident_makes_nothing_likely(db: Database) -> None:
    stored(db, BRIDGE, bands=signature(FERRY).bands)
    assert SignatureStore(db).candidates(signature(FERRY).bands) != []
    assert SignatureStore(db).likely(signature(FERRY)) == []


def test_what_has_no_signature_of_this_version_is_missing(db: Database) -> None:
    unsigned = ArticleStore(db).save(draft(BRIDGE)).revision
    revision = stored(db)
    store = SignatureStore(db)
    assert store.missing() == [unsigned.id]
    old = signature(FERRY)
    put(db, revision.id, Signature(SIGNATURE_VERSION + 1, old.minhash, old.bands))
    assert store.missing() == [unsigned.id, revision.id]
    assert store.get(revision.id) is None


def test_the_lead_is_the_vector_of_the_first_chunk(db: Database) -> None:
    revision = stored(db)
    other = b"\x00\x00\x00\x00\x00\x00\x80?"
    behind, first = add_chunks(db, revision, (10, 20), (0, 12))
    db.execute("UPDATE chunks SET vector = ? WHERE id = ?", [other, behind])
    store = SignatureStore(db)
    assert store.lead(revision.id) == Lead(RECIPE.weights_hash, VECTOR)
    db.execute("UPDATE chunks SET vector = ? WHERE id = ?", [other, first])
    assert store.lead(revision.id) is None, "a damaged vector is none"
    assert store.lead(revision.id + 1) is None
