import logging
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

import index.encoders
import index.runtimes
from data.errors import UserError
from index.encoder import Vectors
from index.encoders import (
    DEFAULT_ENCODER,
    DEFAULT_ENCODER_HASH,
    Encoders,
    SentenceEncoder,
    load_encoder,
)
from index.preparation import recipe_of
from index.verification import MIN_COSINE
from tests.fakes import HashEncoder

TEXTS = (
    "",
    " ",
    ".",
    "Who opened the bridge?",
    "Bridge opened | The Herald | 25 October 2024\nAnn Lee opened the bridge on Monday.",
    "THE MAYOR SPOKE!!! " * 4,
    "£3.5 million (4%), 1,234.56 and 2024-10-25T23:30:00-05:00",
    "市长昨天说,新桥已经开放。",
    "قال العمدة إن الجسر افتتح أمس.",
    "Café, naïve, Straße, Łódź, smörgåsbord",
    "😀👩‍👩‍👧🇫🇷 fell on the bridge 🌉",
    "\u200b\u0301\ufeff",
    "word " * 100,
    "The ferry that ran aground had left the marked channel. " * 60,  # beyond 512 tokens
    "x" * 3000,
)
slow = pytest.mark.slow
T = TypeVar("T")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def fast(cache: Path) -> SentenceEncoder:
    """The packaged encoder as it is used: converted, and the conversion kept."""
    encoder = load_encoder(DEFAULT_ENCODER, cache=cache)
    if not encoder.runtime.startswith("openvino"):
        raise AssertionError(f"the packaged encoder runs on {encoder.runtime}")
    return encoder


@pytest.fixture(scope="module")
def plain() -> SentenceEncoder:
    """The packaged encoder on the runtime that works everywhere."""
    return load_encoder(DEFAULT_ENCODER, cache=None, fast=False)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Refuse every connection; return the addresses that were asked for."""
    asked: list[object] = []

    def refuse(_: socket.socket, address: object, *__: object) -> None:
        asked.append(address)
        raise OSError(101, "Network is unreachable")

    def unknown(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return asked


def _forbid_converting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the model was converted again")

    monkeypatch.setattr(index.runtimes, "_export", refuse)


def _together(calls: int, call: Callable[[int], T]) -> list[T]:
    """Return what the calls give, each made by a thread of its own, all at one moment."""
    ready = threading.Barrier(calls)

    def run(number: int) -> T:
        ready.wait(10)
        return call(number)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))


def _similar(encoder: SentenceEncoder, other: SentenceEncoder, text: str) -> bool:
    return float(encoder.encode_query(text) @ other.encode_query(text)) > MIN_COSINE


@slow
def test_both_runtimes_give_the_same_vectors(fast: SentenceEncoder, plain: SentenceEncoder) -> None:
    cosines = np.sum(fast.encode_documents(TEXTS) * plain.encode_documents(TEXTS), axis=1)
    assert cosines.min() > MIN_COSINE, TEXTS[int(cosines.argmin())]
    assert plain.runtime == "torch fp32"
    assert fast.identity == plain.identity


@slow
def test_vectors_are_unit_rows_and_those_of_different_texts_differ(fast: SentenceEncoder) -> None:
    rows = fast.encode_documents(TEXTS)
    assert rows.shape == (len(TEXTS), fast.identity.dimension) == (len(TEXTS), 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    distinct = rows[3:]
    assert np.max(distinct @ distinct.T - 2 * np.eye(len(distinct))) < 0.99
    assert fast.encode_documents([]).shape == (0, 384)


@slow
def test_a_text_has_the_same_vector_whatever_it_is_encoded_with(fast: SentenceEncoder) -> None:
    together = fast.encode_documents(TEXTS)
    alone = np.stack([fast.encode_query(text) for text in TEXTS])
    assert np.sum(together * alone, axis=1).min() > MIN_COSINE


@slow
def test_several_threads_may_encode_at_once(fast: SentenceEncoder, plain: SentenceEncoder) -> None:
    texts = [text for text in TEXTS if len(text) < 200]
    for encoder in (fast, plain):
        alone = [encoder.encode_query(text) for text in texts]
        for _ in range(5):
            together = _together(len(texts), lambda i: encoder.encode_query(texts[i]))  # noqa: B023
            assert all(map(np.array_equal, together, alone))
        spans = _together(len(texts), lambda i: encoder.token_spans(texts[i]))  # noqa: B023
        assert spans == [encoder.token_spans(text) for text in texts]


@slow
def test_a_question_is_nearer_to_the_text_that_answers_it(fast: SentenceEncoder) -> None:
    query = fast.encode_query("Who inaugurated the crossing?")
    near, far = fast.encode_documents(
        ["Ann Lee opened the new bridge.", "Rain fell in the mountains."]
    )
    assert near @ query > far @ query + 0.2


@slow
def test_what_lies_beyond_the_longest_input_changes_nothing_and_what_is_inside_does(
    fast: SentenceEncoder, plain: SentenceEncoder
) -> None:
    for encoder in (fast, plain):
        base, beyond, inside = encoder.encode_documents(
            [
                "rain " * 400,
                "rain " * 330 + "bridge " * 70,
                "rain " * 250 + "bridge " * 150,  # a chunk of 254 tokens and its header fit in
            ]
        )
        assert base @ beyond > 0.9999
        assert base @ inside < 0.95


@slow
def test_token_spans_count_code_points_and_are_never_cut_short(fast: SentenceEncoder) -> None:
    text = "😀 Ann Lee opened 新桥 é."
    spans = fast.token_spans(text)
    assert [text[a:b] for a, b in spans][1:7] == ["Ann", "Lee", "opened", "新", "桥", "é"]
    assert spans == sorted(spans)
    assert len(fast.token_spans("rain " * 1000)) == 1000
    assert fast.token_spans("") == []


@slow
def test_the_packaged_encoder_is_the_public_model(fast: SentenceEncoder) -> None:
    identity = fast.identity
    assert (identity.name, identity.weights_hash) == (DEFAULT_ENCODER, DEFAULT_ENCODER_HASH)


@slow
def test_weights_with_one_altered_byte_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(index.encoders._packaged_folder(), folder)
    monkeypatch.setattr(index.encoders, "_packaged_folder", lambda: folder)
    load_encoder(DEFAULT_ENCODER, cache=None)  # a true copy is taken
    with (folder / "model.safetensors").open("r+b") as stream:
        stream.seek(1_000_000)
        byte = stream.read(1)[0]
        stream.seek(1_000_000)
        stream.write(bytes([byte ^ 1]))
    with pytest.raises(UserError, match="weights are damaged"):
        load_encoder(DEFAULT_ENCODER, cache=None)


@slow
def test_the_default_encoder_never_asks_the_network(tmp_path: Path, offline: list[object]) -> None:
    for runs_fast in (True, False):
        encoder = load_encoder(DEFAULT_ENCODER, cache=tmp_path, fast=runs_fast)
        assert encoder.encode_query("Who opened the bridge?").shape == (384,)
        assert encoder.token_spans("bridge") == [(0, 6)]
    again = load_encoder(DEFAULT_ENCODER, cache=tmp_path)
    assert again.encode_query("Who opened the bridge?").shape == (384,)
    assert offline == []


@slow
def test_a_converted_model_is_kept_and_found_again(
    cache: Path, fast: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid_converting(monkeypatch)
    (kept,) = cache.iterdir()  # and nothing beside it
    assert DEFAULT_ENCODER_HASH[:16] in kept.name
    again = load_encoder(DEFAULT_ENCODER, cache=cache)
    assert again.runtime == fast.runtime
    assert np.array_equal(again.encode_query("bridge"), fast.encode_query("bridge"))


@slow
def test_a_converted_model_of_other_weights_is_not_taken(
    cache: Path, fast: SentenceEncoder
) -> None:
    assert index.runtimes._find_export(cache, fast.identity.weights_hash) is not None
    assert index.runtimes._find_export(cache, "0" * 64) is None


@slow
def test_a_half_written_conversion_is_not_taken(
    cache: Path, fast: SentenceEncoder, tmp_path: Path
) -> None:
    (kept,) = cache.iterdir()
    copy = tmp_path / kept.name
    shutil.copytree(kept, copy)
    weights = fast.identity.weights_hash
    assert index.runtimes._find_export(tmp_path, weights) == copy
    (copy / "about.json").unlink()
    assert index.runtimes._find_export(tmp_path, weights) is None


def _flipped(raw: bytes) -> bytes:
    """Return the file with damage among the weights that every text goes through."""
    return raw[:-1_500_000] + b"\xff" * 4000 + raw[-1_496_000:]


def _flipped_words(raw: bytes) -> bytes:
    """Return the file with damage among the vectors of words, most of which no text has."""
    return raw[:20_000_000] + b"\xff" * 4000 + raw[20_004_000:]


@slow
@pytest.mark.usefixtures("fast")  # fills the cache
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.xml", lambda _: b"x"),
        ("model.bin", lambda raw: raw[: len(raw) // 2]),
        ("model.bin", _flipped),
        ("model.bin", _flipped_words),
        ("model.xml", lambda raw: raw + b"\n"),
        ("about.json", lambda _: b"x"),
        ("about.json", lambda _: b"{}"),
        ("tokenizer.json", lambda _: b"x"),
        ("tokenizer.json", lambda raw: raw.replace(b'"zebra"', b'"zebro"')),
    ],
    ids=[
        *("model", "short weights", "flipped weights", "flipped words", "longer model"),
        *("note", "empty note", "tokenizer", "a word"),
    ],
)
def test_a_damaged_conversion_is_told_and_made_again(
    cache: Path,
    plain: SentenceEncoder,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (kept,) = cache.iterdir()
    copy = tmp_path / kept.name
    shutil.copytree(kept, copy)
    (copy / name).write_bytes(damage((copy / name).read_bytes()))
    with caplog.at_level(logging.WARNING):
        encoder = load_encoder(DEFAULT_ENCODER, cache=tmp_path)
        assert _similar(encoder, plain, "Who opened the bridge?")
    assert encoder.runtime.startswith("openvino")
    assert "damaged" in caplog.text
    _forbid_converting(monkeypatch)  # the next start finds it mended
    again = load_encoder(DEFAULT_ENCODER, cache=tmp_path)
    assert np.array_equal(again.encode_query("bridge"), encoder.encode_query("bridge"))


@slow
def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, plain: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, scratch = tmp_path / "file", tmp_path / "scratch"
    file.write_text("not a folder")
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    encoder = load_encoder(DEFAULT_ENCODER, cache=file)
    assert _similar(encoder, plain, "Who opened the bridge?")
    assert encoder.runtime.startswith("openvino")
    assert file.read_text() == "not a folder"
    assert list(scratch.iterdir()) == []  # nothing is left behind in the system's own folder


@slow
def test_the_plain_runtime_takes_over_where_openvino_is_not_installed(
    tmp_path: Path,
    plain: SentenceEncoder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    encoder = load_encoder(DEFAULT_ENCODER, cache=tmp_path)
    with caplog.at_level(logging.WARNING):
        assert encoder.runtime == "torch fp32"
    assert "OpenVINO is not installed" in caplog.text
    assert np.array_equal(encoder.encode_query("bridge"), plain.encode_query("bridge"))


@slow
def test_the_plain_runtime_takes_over_where_the_model_cannot_be_converted(
    tmp_path: Path, plain: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotImplementedError("an operation without a counterpart")

    monkeypatch.setattr("openvino.convert_model", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    encoder = load_encoder(DEFAULT_ENCODER, cache=tmp_path)
    assert encoder.runtime == "torch fp32"
    assert _similar(encoder, plain, "bridge")
    assert list(tmp_path.iterdir()) == []  # nothing half done is left in either place


@slow
def test_a_folder_can_be_named_in_the_place_of_the_default(
    fast: SentenceEncoder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid_converting(monkeypatch)  # the same weights: the same conversion
    folder = str(index.encoders._packaged_folder())
    encoder = load_encoder(folder, cache=cache)
    assert encoder.identity == replace(fast.identity, name=folder)
    assert np.array_equal(encoder.encode_query("bridge"), fast.encode_query("bridge"))


@pytest.mark.parametrize(
    "name",
    [
        *("no-such-encoder", "someone/no-such-encoder", "a/b/c", "not a name", "/no/such/folder"),
        "~no-such-user/model",
    ],
)
def test_an_unknown_encoder_is_told_with_the_name_of_the_default(
    name: str, offline: list[object]
) -> None:
    with pytest.raises(UserError, match=DEFAULT_ENCODER) as raised:
        load_encoder(name, cache=None)
    assert repr(name) in str(raised.value)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model weights"):
        load_encoder(str(tmp_path), cache=None)


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    encoder = load_encoder(str(tmp_path), cache=None)
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        encoder.token_spans("bridge")


def test_a_folder_without_a_configuration_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(UserError, match=r"no config\.json"):
        load_encoder(str(tmp_path), cache=None)


@slow
@pytest.mark.parametrize("runs_fast", [True, False])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"x"),
        ("config.json", b"{}"),
        ("1_Pooling/config.json", b"{}"),
        ("model.safetensors", b"weights"),
    ],
)
def test_a_model_with_a_damaged_file_is_told(
    tmp_path: Path, name: str, content: bytes, runs_fast: bool
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(index.encoders._packaged_folder(), folder)
    (folder / name).write_bytes(content)
    encoder = load_encoder(str(folder), cache=None, fast=runs_fast)
    with pytest.raises(UserError, match="incomplete or damaged"):
        encoder.encode_query("Who opened the bridge?")


def test_the_hash_covers_every_file_of_weights_in_order(tmp_path: Path) -> None:
    def digest(**files: bytes) -> str:
        for name, content in files.items():
            (tmp_path / f"{name}.safetensors").write_bytes(content)
        return index.encoders._hash_weights(tmp_path)

    # sha256 of b"onetwo", as any other tool gives it.
    whole = "25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1"
    assert digest(a=b"one", b=b"two") == whole
    assert digest(a=b"two", b=b"one") != whole


def test_an_encoder_is_loaded_once_and_only_when_it_is_asked_for() -> None:
    loaded: list[str] = []

    def load(name: str) -> HashEncoder:
        loaded.append(name)
        return HashEncoder(name)

    encoders = Encoders(wanted="other", load=load)
    assert (encoders.wanted, encoders.default, loaded) == ("other", "other", [])
    assert encoders.get("other") is encoders.get("other")
    assert encoders.get("third") is not encoders.get("other")
    assert loaded == ["other", "third"]


def test_an_encoder_that_several_threads_ask_for_is_loaded_once() -> None:
    loaded: list[str] = []

    def load(name: str) -> HashEncoder:
        loaded.append(name)
        time.sleep(0.05)  # long enough for the others to ask as well
        return HashEncoder(name)

    encoders = Encoders(wanted=None, load=load)
    first, *others = _together(8, lambda _: encoders.get("other"))
    assert all(encoder is first for encoder in others)
    assert loaded == ["other"]


def test_an_encoder_is_given_out_while_another_is_being_fetched() -> None:
    asked, fetched = threading.Event(), threading.Event()

    def load(name: str) -> HashEncoder:
        if name == "far":
            asked.set()
            fetched.wait(10)
        return HashEncoder(name)

    encoders = Encoders(wanted=None, load=load)
    with ThreadPoolExecutor(2) as pool:
        far = pool.submit(encoders.get, "far")
        asked.wait(10)
        near = pool.submit(encoders.get, "near")
        try:
            assert near.result(5).identity.name == "near"
            assert not far.done()
        finally:
            fetched.set()
        assert far.result(5).identity.name == "far"


def test_an_encoder_that_could_not_be_loaded_is_tried_again() -> None:
    answers = iter([None, HashEncoder("other")])

    def load(name: str) -> HashEncoder:
        if (found := next(answers)) is None:
            raise UserError(f"no {name} yet")
        return found

    encoders = Encoders(wanted=None, load=load)
    with pytest.raises(UserError, match="no other yet"):
        encoders.get("other")
    assert encoders.get("other").identity.name == "other"


def test_a_model_that_several_threads_use_first_is_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    class SlowToOpen(index.runtimes.TorchRuntime):
        def __init__(self, folder: Path) -> None:
            opened.append(folder.name)
            time.sleep(0.05)
            self.dimension = 3

    monkeypatch.setattr(index.encoders, "TorchRuntime", SlowToOpen)
    encoder = SentenceEncoder("other", tmp_path, "0" * 64, cache=None, fast=False)
    identities = _together(8, lambda _: encoder.identity)
    assert {identity.dimension for identity in identities} == {3}
    assert opened == [tmp_path.name]


def test_the_plain_runtime_is_used_by_one_thread_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Model:
        prompts: dict[str, str] = {}
        callers = 0

        def get_embedding_dimension(self) -> int:
            return 3

        def encode(self, texts: list[str], **_: object) -> Vectors:
            self.callers += 1
            time.sleep(0.01)
            self.callers -= 1
            return np.full((len(texts), 3), 1 - self.callers, dtype=np.float32)

    monkeypatch.setattr(index.runtimes, "open_sentence_transformer", lambda _: Model())
    runtime = index.runtimes.TorchRuntime(tmp_path)
    rows = _together(4, lambda _: runtime.run(["bridge"]))
    np.testing.assert_allclose(np.concatenate(rows), np.full((4, 3), 3**-0.5), rtol=1e-6)


def test_without_a_setting_the_packaged_encoder_is_the_default() -> None:
    encoders = Encoders(wanted=None, load=HashEncoder)
    assert (encoders.wanted, encoders.default) == (None, DEFAULT_ENCODER)


def test_the_encoder_of_an_index_is_the_one_that_made_it_or_refused() -> None:
    encoders = Encoders(wanted="other", load=HashEncoder)
    recipe = recipe_of(HashEncoder("third"))
    assert encoders.of(recipe).identity.name == "third"
    with pytest.raises(UserError, match="weights.*'third'.*changed"):
        encoders.of(replace(recipe, weights_hash="0" * 64))
