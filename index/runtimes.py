import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from data.errors import UserError
from index.encoder import Vectors, unit_rows

log = logging.getLogger(__name__)

# A chunk of 254 tokens, its header (title, publisher, date) and two special tokens fit in here.
# all-MiniLM-L6-v2 ships with 256 but has 512 positions.
MAX_INPUT_TOKENS = 320
_EXPORT_VERSION = 3
_EXPORTED_FILES = ("model.bin", "model.xml", "tokenizer.json")
_PROBE = "Two ferries collided off Skerrin on Friday evening, and nobody was hurt."
_MIN_PROBE_COSINE = 0.999


class RuntimeUnavailableError(Exception):
    """This runtime cannot run this model here; the text says why. Another one may."""


def open_sentence_transformer(folder: Path) -> Any:
    """Return the `SentenceTransformer` in a local folder, on the CPU, without asking any hub.

    Raises:
        UserError: if a file of the model is missing or damaged.
    """
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise UserError(f"The model in {folder} is incomplete or damaged.") from error
    positions = getattr(getattr(model[0], "config", None), "max_position_embeddings", None)
    shipped = model.max_seq_length or MAX_INPUT_TOKENS
    model.max_seq_length = min(positions or shipped, MAX_INPUT_TOKENS)
    return model


class TorchRuntime:
    """Plain sentence-transformers in 32 bit floats: slower, runs everywhere."""

    name = "torch fp32"

    def __init__(self, folder: Path) -> None:
        self._model = open_sentence_transformer(folder)
        self.dimension: int = self._model.get_embedding_dimension()
        self.prompts: dict[str, str] = dict(self._model.prompts or {})
        # Nothing promises that a model may be called by two threads at once: it sets truncation
        # and padding on its one tokenizer at each call.
        self._lock = threading.Lock()

    def run(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row for each text, shape (n, d), float32; any thread may call it."""
        with self._lock:
            rows = self._model.encode(
                list(texts), convert_to_numpy=True, show_progress_bar=False, prompt=""
            )
        return unit_rows(rows)


class OpenVinoRuntime:
    """The same model converted for OpenVINO; about three times as fast on a CPU with bf16.

    The converted model is kept in a cache folder; loading it needs neither torch nor
    sentence-transformers, which makes a start take one second instead of eight.

    Raises:
        RuntimeUnavailableError: if OpenVINO is not installed or cannot take in this model.
    """

    def __init__(self, folder: Path, weights_hash: str, cache: Path | None) -> None:
        openvino = _openvino()
        core = openvino.Core()
        bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.name = "openvino bf16" if bf16 else "openvino fp32"
        self._core = core
        # A compiled model keeps one inference request for all its callers.
        self._lock = threading.Lock()
        self._options = {
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        if cache is not None and (kept := _find_export(cache, weights_hash)) is not None:
            try:
                self._load(kept)
                return
            except RuntimeUnavailableError as error:
                log.warning("The kept encoder is damaged and is made again: %s", error)
                shutil.rmtree(kept, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="pullquote-encoder-") as scratch:
            _export(folder, Path(scratch))
            self._load(Path(scratch))
            if cache is not None:
                _keep(Path(scratch), cache, weights_hash)

    def _load(self, exported: Path) -> None:
        """Load a converted model and let it prove itself on the probe that was kept with it.

        The hashes tell damage that the probe, which uses few of the weights, would not.

        Raises:
            RuntimeUnavailableError: if a file is damaged, or the vector is not the expected one.
        """
        try:
            about = json.loads((exported / "about.json").read_text("utf-8"))
            for name in _EXPORTED_FILES:
                if _sha256(exported / name) != about["sha256"][name]:
                    raise ValueError(f"{name} is not as it was written")
            model = self._core.read_model(str(exported / "model.xml"))
            self._compiled = self._core.compile_model(model, "CPU", self._options)
            self._tokenizer = Tokenizer.from_file(str(exported / "tokenizer.json"))
            self._inputs: list[str] = about["inputs"]
            self.dimension: int = about["dimension"]
            self.prompts: dict[str, str] = about["prompts"]
            cosine = float(self.run([_PROBE])[0] @ np.asarray(about["probe"], dtype=np.float32))
        except Exception as error:  # the tokenizer raises bare Exception
            raise RuntimeUnavailableError(f"the model cannot be loaded ({error})") from error
        if not cosine >= _MIN_PROBE_COSINE:
            raise RuntimeUnavailableError(f"it differs from the original (cosine {cosine:.4f})")

    def run(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row for each text, shape (n, d), float32; any thread may call it."""
        # Without a lock: encoding only reads the tokenizer, whose settings are those of its file.
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        values = {
            "input_ids": [e.ids for e in encodings],
            "attention_mask": [e.attention_mask for e in encodings],
            "token_type_ids": [e.type_ids for e in encodings],
        }
        feed = [np.asarray(values[name], dtype=np.int64) for name in self._inputs]
        with self._lock:
            rows = self._compiled(feed)[0]  # a copy, which the next call leaves alone
        return unit_rows(rows)


def _openvino() -> Any:
    """Return the openvino module, with its usage reports switched off.

    Merely importing it sends an event to its makers, unless the package that does so is missing.
    None in `sys.modules` makes it so for this process.

    Raises:
        RuntimeUnavailableError: if OpenVINO is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # documented
    try:
        import openvino
    except ImportError as error:
        raise RuntimeUnavailableError("OpenVINO is not installed") from error
    return openvino


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _cache_folder(cache: Path, weights_hash: str) -> Path:
    version = _openvino().__version__.split("-")[0]
    key = f"{weights_hash[:16]}-{MAX_INPUT_TOKENS}-v{_EXPORT_VERSION}"
    return cache / f"encoder-{key}-openvino-{version}"


def _find_export(cache: Path, weights_hash: str) -> Path | None:
    folder = _cache_folder(cache, weights_hash)
    try:
        return folder if (folder / "about.json").is_file() else None
    except OSError:  # another user's, say
        return None


def _keep(scratch: Path, cache: Path, weights_hash: str) -> None:
    """Copy the exported model into the cache in one step, where the cache can be written."""
    target = _cache_folder(cache, weights_hash)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".encoder-", dir=cache))
        shutil.copytree(scratch, staging, dirs_exist_ok=True)
        staging.chmod(0o755)  # mkdtemp's own rights would keep other users out
        try:
            os.replace(staging, target)
        except OSError:  # another process was faster
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        log.info("the converted encoder is not kept: %s", error)


def _export(folder: Path, target: Path) -> None:
    """Convert the model in `folder` for OpenVINO and write it to `target`.

    Raises:
        RuntimeUnavailableError: if a part of the model has no OpenVINO counterpart.
    """
    import torch

    openvino = _openvino()
    model = open_sentence_transformer(folder)
    model.eval().requires_grad_(False)
    probe = {
        name: tensor
        for name, tensor in model.preprocess(["a short text", "another"]).items()
        if isinstance(tensor, torch.Tensor)
    }

    class Pipeline(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
        """All modules of the model: transformer, pooling, normalisation."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            features = dict(zip(probe, tensors, strict=True))
            return self.model(features)["sentence_embedding"]

    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            converted = openvino.convert_model(Pipeline(), example_input=tuple(probe.values()))
    except Exception as error:
        raise RuntimeUnavailableError(
            f"OpenVINO could not convert the model: {type(error).__name__}"
        ) from error
    openvino.save_model(converted, str(target / "model.xml"), compress_to_fp16=False)
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.enable_truncation(model.max_seq_length)
    tokenizer.enable_padding(
        pad_id=model.tokenizer.pad_token_id, pad_token=model.tokenizer.pad_token
    )
    tokenizer.save(str(target / "tokenizer.json"))
    about = {
        "dimension": model.get_embedding_dimension(),
        "prompts": dict(model.prompts or {}),
        "inputs": list(probe),
        "probe": model.encode([_PROBE], prompt="")[0].tolist(),
        "sha256": {name: _sha256(target / name) for name in _EXPORTED_FILES},
    }
    # Written last: its presence says that the folder is complete.
    (target / "about.json").write_text(json.dumps(about), "utf-8")
