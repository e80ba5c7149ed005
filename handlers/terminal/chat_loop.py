from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from data.errors import UserError
from handlers.app import App
from handlers.console import answer_view, counted
from handlers.errors import message_for
from handlers.samples import SAMPLES
from handlers.services import Services
from index.answerer import checked_answer
from index.models import Answer

_LEAVE = frozenset({"exit", "quit", ":q", "bye"})


def chat_loop(app: App, stdin: TextIO | None) -> None:
    """Answer questions until the input ends; without a terminal, one a line.

    While the collection is empty the bundled samples are read instead, and that is said.
    """
    with closing(_open(app)) as services:
        if stdin is None:  # closed by whoever started this
            return
        interactive = stdin.isatty()
        if interactive:
            app.screen.note("Ask about the stories; an empty line or Ctrl-D leaves.")
        lines = _prompted(services.settings.home) if interactive else _piped(stdin)
        for line in lines:
            if not interactive:
                app.screen.say(f"? {line.strip()}")
            _answer(app, services, line)


def _open(app: App) -> Services:
    services = app.services()
    name, count = services.collection.name, services.articles.count()
    if count:
        stories = counted(count, "story", "stories")
        app.screen.note(f"Reading {stories} of the collection {name}.")
        return services
    services.close()
    samples = app.services(SAMPLES)
    app.screen.note(
        f"Your collection {name} is empty, so this reads {samples.articles.count()} made-up sample "
        "stories.\nAdd your own: python bot.py add FILE"
    )
    return samples


def show_answer(app: App, services: Services, answer: Answer) -> None:
    """Show an answer, framed in a terminal and plain in a pipe."""
    sources = services.articles.sources()
    app.screen.show(answer_view(answer, boxed=app.screen.out.is_terminal, sources=sources))


def _answer(app: App, services: Services, question: str) -> None:
    try:
        with app.screen.err.status("Reading…"):
            answer = checked_answer(services.answerer, question)
        show_answer(app, services, answer)
    except UserError as error:
        app.screen.warn(message_for(error))


def _piped(stdin: TextIO) -> Iterator[str]:
    # Read as bytes where that is possible: a line in another encoding is no reason to stop.
    for raw in getattr(stdin, "buffer", stdin):
        line = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        if line.strip():
            yield line


def _prompted(home: Path) -> Iterator[str]:
    """Yield what is typed, with line editing and a history that is kept in the home folder."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    history: History
    try:
        home.mkdir(parents=True, exist_ok=True)
        path = home / "chat_history"
        path.touch(mode=0o600)
        path.open("ab").close()  # a folder, or no right to write
        history = FileHistory(str(path))
    except OSError:
        history = InMemoryHistory()
    session: PromptSession[str] = PromptSession(history=history)
    ask: Callable[[str], str] = session.prompt
    while True:
        try:
            line = ask("? ")
        except (EOFError, KeyboardInterrupt):
            return
        if not line.strip() or line.strip().lower() in _LEAVE:
            return
        yield line
