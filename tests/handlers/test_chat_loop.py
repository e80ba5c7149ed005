import stat
from collections.abc import Callable, Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.handlers.conftest import Result, Terminal

BRIDGE = "The mayor opened the bridge on Friday. It cost two million crowns."
FIRST_SENTENCE = "The mayor opened the bridge on Friday."
ENTER, CTRL_C, CTRL_D, UP = "\r", "\x03", "\x04", "\x1b[A"

Typed = Callable[[str], Result]


@pytest.fixture
def typed(terminal: Terminal) -> Iterator[Typed]:
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


def test_a_line_can_be_edited_and_an_earlier_question_called_back(typed: Typed) -> None:
    result = typed(f"What did the bridge cosst\x7f\x7ft?{ENTER}{UP}{ENTER}{CTRL_D}")
    assert result.out.count("1 > It cost two million crowns.") == 2


def test_questions_are_remembered_for_the_next_chat_and_for_nobody_else(
    typed: Typed, terminal: Terminal
) -> None:
    typed(f"Who opened the bridge?{ENTER}{CTRL_D}")
    again = typed(f"{UP}{ENTER}{CTRL_D}")
    assert FIRST_SENTENCE in again.out
    history = terminal.home / "chat_history"
    assert "Who opened the bridge?" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_kept_does_not_stop_the_chat(
    typed: Typed, terminal: Terminal
) -> None:
    (terminal.home / "chat_history").mkdir()
    typed_into_folder = typed(f"Who opened the bridge?{ENTER}{CTRL_D}")
    assert FIRST_SENTENCE in typed_into_folder.out
