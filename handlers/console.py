import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from data.articles import Saved, SaveStatus
from data.dates import date_in_words
from data.models import Filters, Revision
from index.models import Answer, Citation, IndexStatus, Passage, Reason
from index.verification import Report

CUT = "[…]"
_PIPE_WIDTH = 2000
# Lowest confidence for each word, the surest first.
_SURENESS = ((0.75, "very sure"), (0.55, "fairly sure"), (0.0, "not very sure"))
_REASONS = {
    Reason.EMPTY_COLLECTION: "There are no stories here yet. Add one with: python bot.py add FILE",
    Reason.NO_PASSAGE: "Nothing in the stories here is about that",
    Reason.LOW_CONFIDENCE: "Nothing in the stories here answers that well enough to quote",
    Reason.FILTERED_OUT: "No story here passes the filters",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Where things are shown: results on standard output, everything else on standard error."""

    out: Console
    err: Console

    @classmethod
    def of_terminal(cls) -> "Screen":
        """Return the screen of this process."""
        # What goes into a pipe is for other programs: lines are as long as they are.
        width = None if sys.stdout.isatty() else _PIPE_WIDTH
        return cls(Console(highlight=False, width=width), Console(stderr=True, highlight=False))

    def show(self, what: RenderableType) -> None:
        """Show a result; into a pipe it goes as it is, and is never wrapped."""
        self.out.print(what, soft_wrap=not self.out.is_terminal)

    def say(self, text: str) -> None:
        """Show a result that is one line of text."""
        self.show(Text(printable(text)))

    def note(self, text: str) -> None:
        """Show a remark that is no result."""
        self._tell(text, "dim")

    def warn(self, text: str) -> None:
        """Show a sentence about something that went wrong."""
        self._tell(text, "yellow")

    def _tell(self, text: str, style: str) -> None:
        self.err.print(Text(printable(text), style=style), soft_wrap=not self.err.is_terminal)


def printable(text: str) -> str:
    """Return the text without characters that could steer a terminal or reorder a line.

    A story may hold escape sequences and text direction overrides; they are shown as nothing.
    Unusual line ends become plain ones. Everything that can be seen stays.
    """
    return _STEERING.sub("", _LINE_ENDS.sub("\n", text))


_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_STEERING = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 story`, `1,200 stories`."""
    return f"{number:,} {one if number == 1 else many}"


def sureness(confidence: float) -> str:
    """Return how sure the bot is, in words."""
    return next(words for least, words in _SURENESS if confidence >= least)


def independence(answer: Answer) -> str:
    """Return how many publishers are quoted, as a sentence; nothing where one quote is all."""
    if len(answer.citations) < 2:
        return ""
    number = answer.independent_publishers
    if number == 1:
        return " All of this goes back to one publisher."
    return f" Quoted from {counted(number, 'independent publisher', 'independent publishers')}."


def attribution_line(revision: Revision) -> str:
    """Return `publisher, author, date, title`; what is unknown is left out or said to be."""
    attribution = revision.attribution
    parts = [
        (attribution.source or "publisher unknown").strip(),
        attribution.author and attribution.author.strip(),
        date_in_words(attribution.published_at) or "date unknown",
        f"“{attribution.title.strip()}”",
    ]
    return printable(", ".join(part for part in parts if part))


def where_to_read(revision: Revision) -> str:
    """Return the story's link, or its id where it has none."""
    return printable(revision.attribution.url or f"story {revision.article_id}")


def answer_view(
    answer: Answer, *, boxed: bool = True, sources: Sequence[str] = ()
) -> RenderableType:
    """Return an answer or a refusal for the terminal.

    `boxed` frames each quote; else it stands behind a `>`. `sources` are the publishers there are.
    """
    if answer.reason is not None:
        return _refusal(answer, sources)
    parts: list[RenderableType] = [_citation(citation, boxed) for citation in answer.citations]
    sure = f"I am {sureness(answer.confidence)} that this answers the question"
    filters = filter_words(answer.filters)
    parts.append(Text(f"{sure} {filters}".strip() + "." + independence(answer), style="dim"))
    return Group(*parts)


def filter_words(filters: Filters) -> str:
    """Return which filters applied, as a sentence, or nothing."""
    words = [
        filters.source and f"publisher {filters.source}",
        filters.after and f"from {filters.after} on",
        filters.before and f"up to {filters.before}",
        filters.article and f"story {filters.article}",
    ]
    given = ", ".join(printable(word) for word in words if word)
    return f"(only {given})" if given else ""


def _citation(citation: Citation, boxed: bool) -> RenderableType:
    quote = _emphasised(citation)
    if citation.cut_before:
        quote = Text.assemble((f"{CUT} ", "dim"), quote)
    if citation.cut_after:
        quote = Text.assemble(quote, (f" {CUT}", "dim"))
    below = Text(attribution_line(citation.revision), style="cyan")
    below.append(f"\n{where_to_read(citation.revision)}", style="dim")
    if citation.carried_by:
        names = ", ".join(a.source or "" for a in citation.carried_by)
        below.append(printable(f"\nalso carried by {names}"), style="dim")
    if not boxed:
        return Group(Text(f"{citation.number} > ") + quote, _indented(below), Text())
    title = Text(f"{citation.number}", style="bold")
    panel = Panel(quote, title=title, title_align="left", border_style="dim", padding=(0, 1))
    return Group(panel, Padding(below, (0, 0, 1, 3)))


def _indented(text: Text) -> Text:
    """Return the text with each line moved in, for output that is never wrapped."""
    return Text("\n").join(Text("   ") + line for line in text.split("\n"))


def _emphasised(citation: Citation) -> Text:
    quote, highlight = citation.quote, citation.highlight_in_quote
    if highlight is None:
        return Text(printable(quote))
    start, end = highlight
    return Text.assemble(
        printable(quote[:start]),
        (printable(quote[start:end]), "bold underline"),
        printable(quote[end:]),
    )


def _refusal(answer: Answer, sources: Sequence[str]) -> RenderableType:
    if answer.reason is None:
        raise ValueError("a refusal has a reason")
    why = f"{_REASONS[answer.reason]} {filter_words(answer.filters)}".strip()
    stop = "" if answer.reason is Reason.EMPTY_COLLECTION else "."  # it ends in a command
    lines = [Text(f"{why}{stop}", style="yellow")]
    if answer.reason is Reason.FILTERED_OUT and answer.filters.source and sources:
        known = ", ".join(s.strip() for s in sources[:12])
        lines.append(Text(printable(f"Publishers here: {known}."), style="dim"))
    if answer.nearest:
        lines.append(Text("The nearest stories:", style="dim"))
        lines.extend(
            Text(f"  • {attribution_line(r)} ({r.article_id})", style="dim") for r in answer.nearest
        )
    if answer.newest is not None:
        newest = date_in_words(answer.newest.attribution.published_at)
        lines.append(Text(f"The newest story here is of {newest}.", style="dim"))
    return Group(*lines)


def passages_view(passages: Sequence[Passage]) -> RenderableType:
    """Return passages for the terminal, one below the other."""
    parts: list[RenderableType] = []
    for passage in passages:
        head = f"{passage.rank}. {attribution_line(passage.revision)}  ({passage.score:.3f})"
        parts.append(Text(head, style="cyan"))
        parts.append(Text(printable(passage.text) + "\n"))
    return Group(*parts)


def articles_view(revisions: Sequence[Revision], withdrawn: Collection[str] = ()) -> RenderableType:
    """Return a table of stories; `withdrawn` are the ids of those that are not quoted any more."""
    table = Table(box=None, pad_edge=False)
    for column in ("Id", "Date", "Publisher", "Title"):
        table.add_column(column, overflow="fold", no_wrap=column in ("Id", "Date"))
    for revision in revisions:
        a = revision.attribution
        mark = " (withdrawn)" if revision.article_id in withdrawn else ""
        title = f"{a.title.strip()}{mark}"
        cells = (revision.article_id, a.published_at and a.published_at[:10], a.source, title)
        table.add_row(*(Text(printable(cell.strip() if cell else "unknown")) for cell in cells))
    return table


def story_view(
    revision: Revision, *, text: bool, withdrawn_at: str | None = None
) -> RenderableType:
    """Return one story's attribution, with its whole text where asked for."""
    a = revision.attribution
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = (
        ("Title", a.title),
        ("Publisher", a.source),
        ("Author", a.author),
        ("Date", a.published_at),
        ("Link", a.url),
        ("Id", revision.article_id),
        ("External id", revision.external_id),
        ("Revision", f"{revision.id}, stored {revision.created_at}"),
        *((("Changed", revision.modified_at),) if revision.modified_at else ()),
        *((("Withdrawn", f"{withdrawn_at}, not quoted any more"),) if withdrawn_at else ()),
        ("Length", f"{len(revision.text):,} characters"),
    )
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(printable(value or "unknown")))
    return Group(table, Text("\n" + printable(revision.text))) if text else table


def saved_line(saved: Saved) -> str:
    """Return one line that says what adding or editing a story did."""
    did = {
        SaveStatus.NEW: "Added",
        SaveStatus.CHANGED: "Stored a new version of",
        SaveStatus.SAME: "Nothing changed in",
    }[saved.status]
    story = f"story {saved.revision.article_id}: {attribution_line(saved.revision)}"
    return f"{did} {story}"


def status_view(status: IndexStatus, *, runtime: str) -> RenderableType:
    """Return a collection's status for the terminal."""
    table = Table(box=None, show_header=False, pad_edge=False)
    newest = attribution_line(status.newest) if status.newest else "none with a date"
    fingerprint = "none yet"
    if status.weights_hash is not None:
        fingerprint = (
            f"{status.weights_hash[:12]}, {status.dimension} dimensions, "
            f"chunker {status.chunker_version}, header {status.header_version}"
        )
    rows = (
        ("Collection", status.collection),
        ("Stories", f"{status.stories:,}, in {counted(status.revisions, 'version', 'versions')}"),
        *((("Withdrawn", f"{status.withdrawn:,} of them"),) if status.withdrawn else ()),
        ("Chunks", f"{status.chunks:,}"),
        ("Newest story", newest),
        ("Encoder", f"{status.encoder or 'none yet'} ({runtime})"),
        ("Fingerprint", fingerprint),
        ("Index made", status.built_at or "not yet"),
        ("Database", _size(status.database_bytes)),
        ("Index file", _size(status.index_bytes)),
        ("Stale", "nothing" if not status.stale else "\n".join(status.stale)),
    )
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(printable(value)))
    return table


def report_view(report: Report) -> RenderableType:
    """Return what `verify` found."""
    checked = (
        f"Checked {counted(report.stories, 'story', 'stories')} and "
        f"{counted(report.chunks, 'chunk', 'chunks')}; "
        f"{counted(report.reencoded, 'vector', 'vectors')} encoded again."
    )
    lines = [Text(checked, style="dim")]
    lines += [Text(f"Note: {note}", style="dim") for note in report.notes]
    lines += [Text(f"Problem: {printable(problem)}", style="red") for problem in report.problems]
    if report.clean:
        lines.append(Text("Everything is in order.", style="green"))
    return Group(*lines)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
