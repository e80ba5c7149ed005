"""What is fuzzed, for a few seconds: every seed, some changes of them, and all that was found."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import seeds
from tests.fuzz.finding import ROOT, Finder, changed_seeds, run_examples, shortened
from tests.fuzz.holding import BrokenError, alone, holds
from tests.fuzz.targets import BY_NAME, TARGETS, FuzzTarget, shape

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)

# What the fuzzer found so far, made short: the target and the bytes.
FOUND = {
    "an address outside Latin-1 in a feed": (
        "feed",
        b"\n\n<rss><item><link>https://news.example/?q=\xe6\x97\xa5</link></item></rss>",
    ),
    "an address outside Latin-1 on a page": (
        "page",
        b'text/html\n\n<link rel=canonical href="https://news.example/a?q=\xe6\x97\xa5"><p>Words.',
    ),
    "an address outside Latin-1": ("address", b"http://b\xc3\xa4?\xc3\xbc\xe2\x82\xac"),
    "a domain that is half a bracket": ("address", b"]"),
    "a port behind half an address": ("address", b"http://[:.]/#."),
    "a host that loses its brackets": ("address", b"http://[::ffff:1.0.0.1\xe3\x80\x82]"),
    "a page that begins like an address": ("page", b"text/html\n\nhttp"),
    "a page that is an address": ("page", b"text/html\n\nhttp://127.0.0.1:9/?<p>Words.</p>"),
    "an address that is too long once it is encoded": (
        "page",
        b"text/html\nhttps://news.example/" + b"\xc3\xa9" * 400 + b"\n<p>Words.",
    ),
    "a relative address below an encoded path": ("address", b"https://news.example/a%2Fb/c\nd"),
    "a zone that looks like a name that is allowed": ("address", b"http://[::%%.lan.example]"),
    "a year before the printing press": ("dates", b"Fri 3 May 1131 0:00 "),
    "a redirect that decodes a blank": ("fetching", seeds.answers("/a%20b/c", "d")),
    "a redirect that decodes a line break": ("fetching", seeds.answers("/a%0D%0Ab/c", "d")),
}


@pytest.mark.parametrize(("name", "data"), FOUND.values(), ids=FOUND)
def test_what_was_found_holds(name: str, data: bytes) -> None:
    BY_NAME[name].check(data)


@each_target
def test_every_seed_holds(target: FuzzTarget) -> None:
    for seed in target.seeds:
        target.check(seed)


@each_target
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,  # here the same each time; `make fuzz` looks for more
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_changed_seeds_hold(target: FuzzTarget, data: st.DataObject) -> None:
    target.check(data.draw(changed_seeds(target)))


# --- that something can be found


def check(data: bytes) -> None:
    holds(b"bad" not in data, "nothing is bad")
    if b"worse" in data:
        raise KeyError(data)


def test_each_kind_of_finding_is_kept_once_and_made_short(tmp_path: Path) -> None:
    finder = Finder(FuzzTarget("made", check, [b""], [b"bad"]), tmp_path)
    for data in (b"good", b"a bad one", b"another bad one", b"one that is worse", b"bad"):
        finder(data)
    kept = [path for path in tmp_path.iterdir() if not path.suffix]
    assert sorted(path.read_bytes() for path in kept) == [b"bad", b"worse"]
    traces = sorted(path.read_text().splitlines()[0] for path in tmp_path.glob("*.trace"))
    assert traces == ["KeyError in check", "nothing is bad"]
    assert finder.runs == 5


def test_changes_of_seeds_lead_somewhere(tmp_path: Path) -> None:
    target = FuzzTarget("made", check, [b"a long seed that is not in the least"], [b"bad"])
    finder = Finder(target, tmp_path)
    run_examples(finder, changed_seeds(target), count=200)
    assert [p.read_bytes() for p in tmp_path.iterdir() if not p.suffix] == [b"bad"]


def test_an_input_is_made_short_as_far_as_it_shows_the_same() -> None:
    assert shortened(b"x" * 50 + b"ab" + b"x" * 50, lambda data: b"ab" in data) == b"ab"


def test_who_asks_somebody_outside_is_told_of_even_where_the_error_is_swallowed(
    tmp_path: Path,
) -> None:
    def asks(_: bytes) -> None:
        with socket.socket() as one, pytest.raises(PermissionError):
            one.connect(("127.0.0.1", 9))

    def writes(_: bytes) -> None:
        with pytest.raises(PermissionError):
            (tmp_path / "x").write_text("x")

    for check_of in (asks, writes):
        with pytest.raises(BrokenError, match="nobody outside"):
            alone(check_of)(b"")
    (tmp_path / "x").write_text("afterwards it is allowed")


def test_bytes_describe_values_of_any_shape() -> None:
    assert shape(b"") == []
    assert shape(bytes([1, 2, 4, 3])) == {"headline": [""]}


@pytest.mark.slow
def test_the_command_ends_with_a_table(tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-m", "tests.fuzz", "--seconds", "1", "--target", "unpacking"]
    done = subprocess.run(
        [*command, "--artifacts", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    *_, head, row = done.stdout.splitlines()
    assert head.split() == ["target", "executions", "seconds", "edges", "findings"]
    assert row.split()[0] == "unpacking"
    assert int(row.split()[1].replace(",", "")) > 100
    assert (done.returncode, row.split()[-1]) == (0, "0")
