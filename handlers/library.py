"""What the commands and buttons of a server's stories look up; each runs in a thread."""

import discord

from data.errors import NotFoundError, UserError
from data.headlines import Headline
from data.models import Revision, folded
from data.origins import Origin
from handlers.asking import NOBODY
from handlers.layouts.history_layout import history_layout
from handlers.layouts.layout import Layout
from handlers.layouts.stories import PAGE_STORIES, list_layout, story_layout
from handlers.services import Services, Session

_LOOKED_AT = 25  # stories that words may fit, to find the one that is meant


def resolve(parts: tuple[Services, ...], article: str, *, words: bool = True) -> Revision:
    """Return the story of that id; with `words`, also the only one whose title or publisher fits.

    A title that is given in full wins over longer ones that hold it.

    Raises:
        NotFoundError: if there is none, or more than one.
    """
    for services in parts:
        try:
            return services.articles.get(article)
        except NotFoundError:
            continue
    found: list[Headline] = []
    if words and article.strip():
        found = [h for s in parts for h in s.headlines.page(limit=_LOOKED_AT, matching=article)]
    exact = [h for h in found if folded(h.attribution.title) == folded(article)]
    found = exact or found
    if len(found) > 1:
        raise NotFoundError("More than one story fits that. Choose one from the list.")
    if not found:
        raise NotFoundError("There is no such story here. Choose one from the list.")
    return resolve(parts, found[0].article_id, words=False)


def own_story(session: Session, article: str, *, words: bool = True) -> Revision:
    """Return a story that this server may change.

    Raises:
        NotFoundError: if there is none.
        UserError: if it is the operator's.
    """
    try:
        return resolve((session.writable,), article, words=words)
    except NotFoundError as error:
        try:
            session.shared.articles.get(article)
        except NotFoundError:
            raise error from None
        raise UserError(
            "That story is the operator's, who shares it with every server. It stays as it is."
        ) from error


def list_page(session: Session, page: int) -> Layout:
    """Return a page of the stories that may be read, the server's own first; counts from 0."""
    counts = [services.headlines.count() for services in session.readable]
    total = sum(counts)
    page = min(page, max(0, -(-total // PAGE_STORIES) - 1))
    offset = page * PAGE_STORIES
    stories: list[Headline] = []
    for services, count in zip(session.readable, counts, strict=True):
        wanted = PAGE_STORIES - len(stories)
        stories += services.headlines.page(limit=wanted, offset=max(0, offset))
        offset -= count
    own = session.writable.collection.name
    return list_layout(stories, page=page, total=total, own=own)


def story_page(
    session: Session, article: str, page: int, *, words: bool = True, may_edit: bool
) -> Layout:
    """Return a story that may be read, with one page of its text.

    Raises:
        NotFoundError: if there is none.
    """
    revision = resolve(session.readable, article, words=words)
    services = session.of(revision.collection) or session.shared
    origins: dict[str, Origin] = services.origins.of([revision.article_id])
    return story_layout(
        revision,
        origins.get(revision.article_id),
        page=page,
        versions=services.articles.version_count(revision.article_id),
        withdrawn_at=services.standing.withdrawn_at(revision.article_id),
        own=services is session.own,
        may_edit=may_edit,
    )


def found_stories(session: Session, words: str) -> list[Revision]:
    """Return the stories that are nearest to the words, the best first."""
    passages = [p for services in session.readable for p in services.retriever.retrieve(words)]
    found: dict[str, Revision] = {}
    for passage in sorted(passages, key=lambda p: p.rank):
        found.setdefault(passage.revision.article_id, passage.revision)
    return list(found.values())[:PAGE_STORIES]


def history_page(session: Session, article: str, number: int, *, words: bool = True) -> Layout:
    """Return one version of a story that may be read, with what it changed; 0 is the newest.

    Raises:
        NotFoundError: if there is no such story.
    """
    current = resolve(session.readable, article, words=words)
    services = session.of(current.collection) or session.shared
    history = services.standing.history(current.article_id)
    return history_layout(history, number)


async def show_page(interaction: discord.Interaction, layout: Layout) -> None:
    """Turn the page where one person alone sees it, else open it for them beside the message."""
    if interaction.message is not None and interaction.message.flags.ephemeral:
        await interaction.response.edit_message(view=layout, allowed_mentions=NOBODY)
    else:
        await interaction.response.send_message(
            view=layout, ephemeral=True, allowed_mentions=NOBODY
        )
