"""The real program, started as people start it, with the real encoder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bot
from data.ingestion import read_story

pytestmark = pytest.mark.slow

# Arabic with vowel marks, Chinese, marks without a composed form, emoji of several code points.
MIXED = """\
 date 2024-10-25 افتتحت العمدة الجسر الجديد يوم الجمعة. كَتَبَ الصحفي أن التكلفة مليونا جنيه.

市长昨天宣布新桥开放。大桥花费两百万元。

The ferry M\u0302e\u0323\u0301rrow \U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7
sank at noon on Tuesday. Nobody was hurt, said Z\u0308oë Q\u0303uin \U0001f600 of the harbour.

The Café Müller reopened on Sunday after a fire."""
QUESTIONS = {
    "Which ferry sank on Tuesday?": "sank at noon on Tuesday",
    "Was anybody hurt?": "Nobody was hurt",
    "What reopened after a fire?": "reopened on Sunday after a fire",
    "大桥花费多少?": "",
    "كم بلغت التكلفة؟": "",
}


class Program:
    """`python bot.py` on a home of its own, with nothing of this process's settings."""

    def __init__(self, home: Path) -> None:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PULLQUOTE_", "DISCORD"))}
        self.environment = {**kept, "PULLQUOTE_HOME": str(home), "HF_HUB_OFFLINE": "1"}

    def start(self, *words: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Start a command."""
        command = [sys.executable, str(bot.ROOT / "bot.py"), *words]
        # Whoever runs the tests in the background may have had SIGINT ignored for all children.
        return subprocess.Popen(
            command,
            env=self.environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **streams,
        )

    def __call__(self, *words: str, stdin: str = "", code: int = 0) -> tuple[str, str]:
        """Run a command to its end; return what it wrote on standard output and error."""
        pipe = subprocess.PIPE
        process = self.start(*words, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = (stream.decode("utf-8") for stream in process.communicate(stdin.encode()))
        assert process.returncode == code, err
        assert "Traceback" not in err
        return out, err


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


def test_a_question_in_a_pipe_is_answered_from_the_samples_word_for_word(program: Program) -> None:
    questions = "How many people were aboard the ferry?\nWhen will the Stobbing factory close?\n"
    out, err = program("run", stdin=questions)
    assert "DISCORD_TOKEN is not set" in err
    assert "made-up sample stories" in err
    quotes = [line.split(" > ", 1)[1] for line in out.splitlines() if line[1:4] == " > "]
    assert len(quotes) >= 2
    samples = {path.name: read_story(path) for path in (bot.ROOT / "data/samples").glob("*.md")}
    for quote in quotes:
        assert any(quote in draft.text for draft in samples.values()), quote
    assert any("30 January 2026" in quote for quote in quotes)
    assert "\x1b" not in out


def test_quotes_of_any_script_are_the_storys_own_slice(program: Program) -> None:
    out, _ = program("add", "-", "--json", "--title", "Mixed", stdin=MIXED)
    story = json.loads(out)["id"]
    text = json.loads(program("show", story, "--json")[0])["text"]
    assert "Q\u0303uin \U0001f600" in text
    lines = "".join(json.dumps({"id": i, "question": q}) + "\n" for i, q in enumerate(QUESTIONS))
    out, err = program("ask", "--jsonl", "-", stdin=lines)
    assert err == ""
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["id"] for answer in answers] == list(range(len(QUESTIONS)))
    for answer, wanted in zip(answers, QUESTIONS.values(), strict=True):
        assert answer["answered"] or not wanted, answer["question"]
        for citation in answer["citations"]:
            assert citation["quote"] == text[citation["start"] : citation["end"]]
            if citation["highlight"]:
                start, end = citation["highlight"]
                assert 0 <= start < end <= len(citation["quote"])
        if wanted:
            assert wanted in answer["citations"][0]["quote"]


def test_passages_of_any_script_are_the_storys_own_slice(program: Program) -> None:
    story = json.loads(program("add", "-", "--json", stdin=MIXED * 12)[0])["id"]
    text = json.loads(program("show", story, "--json")[0])["text"]
    passages = json.loads(program("search", "When did the ferry sink?", "--json")[0])
    assert len(passages) > 1
    for passage in passages:
        assert passage["text"] == text[passage["start"] : passage["end"]]


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "How many people were aboard the ferry?"],
        ["ask", "How many people were aboard the ferry?", "--json"],
        ["articles"],
    ],
    ids=" ".join,
)
def test_a_reader_that_goes_away_leaves_no_traceback(program: Program, words: list[str]) -> None:
    process = program.start(
        *words, "--collection", "samples", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as `| head -0` does, before anything is written
    err = process.stderr.read().decode()
    process.stderr.close()
    process.wait()
    assert "Traceback" not in err
    assert "Broken" not in err
    assert "Exception" not in err


def test_a_chat_that_is_interrupted_says_that_what_was_stored_is_safe(program: Program) -> None:
    program("add", "-", stdin=MIXED)
    pipe = subprocess.PIPE
    process = program.start("chat", stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"Reading 1 ")
    process.send_signal(signal.SIGINT)  # it waits for a question
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.decode().endswith("Stopped. What was stored before is safe.\n")
    assert b"Traceback" not in err
