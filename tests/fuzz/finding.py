"""What becomes of an input at which a target does not hold, and where blind inputs come from."""

import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.holding import BrokenError
from tests.fuzz.targets import FuzzTarget

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("data", "index")
SHORTENINGS = 300  # attempts to make an input shorter that shows the same

# What is known and not mended yet, as `place_of` names it: it is passed over, to get at others.
KNOWN: frozenset[str] = frozenset()


def place_of(error: BaseException) -> str:
    """Return what tells a finding from others: its kind, and where in our own code it came up."""
    if isinstance(error, BrokenError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    paths = [(Path(frame.filename), frame.name) for frame in frames]
    inside = [
        f"{path.relative_to(ROOT)}:{name}"
        for path, name in paths
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS
    ]
    return f"{type(error).__name__} in {inside[-1] if inside else frames[-1].name}"


class Finder:
    """Runs a target, and keeps the first input of each kind at which it does not hold.

    A finding is two files: the input, made shorter, and beside it the trace. `runs` counts the
    inputs.
    """

    def __init__(self, target: FuzzTarget, artifacts: Path) -> None:
        self._target = target
        self._artifacts = artifacts
        self._seen: set[str] = set(KNOWN)
        self.runs = 0

    def __call__(self, data: bytes) -> None:
        """Run the target on an input."""
        self.runs += 1
        place = self._place(data)
        if place is not None and place not in self._seen:
            self._seen.add(place)
            self._keep(shortened(data, lambda piece: self._place(piece) == place), place)

    def _place(self, data: bytes) -> str | None:
        try:
            self._target.check(data)
        except Exception as error:  # noqa: BLE001 - whatever comes is what is looked for
            return place_of(error)
        return None

    def _keep(self, data: bytes, place: str) -> None:
        name = f"{self._target.name}-{sha256(place.encode()).hexdigest()[:12]}"
        (self._artifacts / name).write_bytes(data)
        try:
            self._target.check(data)
        except Exception:  # noqa: BLE001
            trace = f"{place}\n{data!r}\n\n{traceback.format_exc()}"
            (self._artifacts / f"{name}.trace").write_text(trace, "utf-8", "backslashreplace")


def shortened(data: bytes, still: Callable[[bytes], bool]) -> bytes:
    """Return the input without pieces that make no difference, as far as some attempts lead."""
    size, attempts = len(data) // 2, 0
    while size and attempts < SHORTENINGS:
        start = 0
        while start < len(data) and attempts < SHORTENINGS:
            attempts += 1
            shorter = data[:start] + data[start + size :]
            if still(shorter):
                data = shorter
            else:
                start += size
        size //= 2
    return data


@st.composite
def _changed(draw: st.DrawFn, target: FuzzTarget) -> bytes:
    data = draw(st.sampled_from(target.seeds))
    word = st.one_of(st.sampled_from(target.words), st.binary(max_size=6), st.just(b""))
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(data)))
        gone = draw(st.one_of(st.just(0), st.integers(0, 40), st.integers(0, len(data))))
        if draw(st.booleans()):  # else a piece of it once more
            put = draw(word)
        else:
            begin = draw(st.integers(0, len(data)))
            put = data[begin : begin + draw(st.integers(0, 200))]
        data = data[:start] + put + data[start + gone :]
    return data[: 2 * target.longest]


def changed_seeds(target: FuzzTarget) -> st.SearchStrategy[bytes]:
    """Return a strategy for inputs that were seeds before pieces were put in, out and twice."""
    return st.one_of(_changed(target), st.binary(max_size=200))


def run_examples(
    check: Callable[[bytes], object], inputs: st.SearchStrategy[bytes], *, count: int
) -> None:
    """Run a check on so many inputs, other ones each time."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def run(data: bytes) -> None:
        check(data)

    run()
