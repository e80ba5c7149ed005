import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.handlers.conftest import Result, Terminal

BRIDGE = "The mayor opened the bridge on Friday. It cost two million crowns."
FIRST_SENTENCE = "The mayor opened the bridge on Friday."
ENTER, BACKSPACE, CTRL_C, CTRL_D = "\r", "\x7f", "\x03", "\x04"

Typed = Callable[[str], Result]


@pytest.fixture
def typed(terminal: Terminal) -> Typed:
    """A chat that is typed into, on a collection with one story."""
    terminal.add(BRIDGE)

    def chat(keys: str) -> Result:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            return terminal("chat", keyboard=True)

    return chat


@pytest.mark.parametrize(
    "leaving",
    [ENTER, "  " + ENTER, "exit" + ENTER, "QUIT" + ENTER, ":q" + ENTER, CTRL_D, CTRL_C],
    ids=["empty line", "spaces", "exit", "quit", ":q", "Ctrl-D", "Ctrl-C"],
)
def test_a_typed_question_is_answered_and_the_chat_is_left_at_will(
    typed: Typed, leaving: str
) -> None:
    result = typed(f"Who opened the bridge?{ENTER}{leaving}")
    assert result.out.count(FIRST_SENTENCE) == 1
    assert "an empty line or Ctrl-D leaves" in result.err


def test_a_question_without_words_is_told_and_the_chat_goes_on(typed: Typed) -> None:
    result = typed(f"?!{ENTER}Who opened the bridge?{ENTER}{CTRL_D}")
    assert "The question has no words in it." in result.err
    assert FIRST_SENTENCE in result.out


def test_a_line_can_be_edited_before_it_is_asked(typed: Typed, terminal: Terminal) -> None:
    result = typed(f"Who opened the bridgge{BACKSPACE}{BACKSPACE}e?{ENTER}{CTRL_D}")
    assert FIRST_SENTENCE in result.out
    assert _remembered(terminal.home / "chat_history") == ["Who opened the bridge?"]


def test_questions_are_remembered_from_chat_to_chat_and_for_nobody_else(
    typed: Typed, terminal: Terminal
) -> None:
    typed(f"Who opened the bridge?{ENTER}{CTRL_D}")
    typed(f"What did it cost?{ENTER}{CTRL_D}")
    history = terminal.home / "chat_history"
    assert _remembered(history) == ["What did it cost?", "Who opened the bridge?"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_kept_does_not_stop_the_chat(
    typed: Typed, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "touch", refuse)
    result = typed(f"Who opened the bridge?{ENTER}{CTRL_D}")
    assert FIRST_SENTENCE in result.out
    assert not (terminal.home / "chat_history").exists()


def _remembered(path: Path) -> list[str]:
    """Return the questions that the up arrow would bring back, the latest first."""
    return list(FileHistory(str(path)).load_history_strings())
