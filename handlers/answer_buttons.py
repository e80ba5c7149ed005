"""What the buttons under an answer do; they know everything from their ids and the message."""

from dataclasses import replace
from typing import Any

import discord

from data.answers import GivenAnswer
from data.errors import NotFoundError, UserError
from data.models import Filters
from data.origins import Origin
from handlers.answer_context import GONE, Context, context_layout, context_of, others
from handlers.asking import NOBODY, given_citations
from handlers.desk import Desk
from handlers.forms import QuestionForm
from handlers.layouts.layout import (
    Action,
    Layout,
    Pressed,
    panel,
    text,
)
from handlers.layouts.markdown import escaped, shortened
from handlers.layouts.render import (
    ANSWER_COLOUR,
    citation_section,
    filters_of,
    length,
    question_of,
    shown_numbers,
)
from handlers.scope import NotAllowedError, may_add, place_of, readable_server
from handlers.services import Session

MORE_QUOTES = 8
_ON_ONE_PAGE = 5
_MAX_MORE = 3500
_THREAD_NAME = 100
_HAS_A_THREAD = 160004  # Discord's number for a message that a thread begins at already


def known_answer(session: Session, interaction: discord.Interaction, answer_id: str) -> GivenAnswer:
    """Return the answer that a button belongs to, if it was given just here.

    Raises:
        NotFoundError: if it was given elsewhere, or is forgotten.
    """
    given = session.answers.get(answer_id)
    if given is None or given.place != place_of(interaction):
        raise NotFoundError(GONE)
    if interaction.message is None or given.message_id not in (None, interaction.message.id):
        raise NotFoundError(GONE)
    return given


async def _readable(desk: Desk, interaction: discord.Interaction) -> int | None:
    return await readable_server(
        desk.client, desk.worker, interaction.guild_id, interaction.user.id
    )


async def _require_known(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    """Return if the answer was given just here.

    Raises:
        NotFoundError: if it was given elsewhere, or is forgotten.
    """
    await desk.worker.run(None, lambda s: known_answer(s, interaction, pressed.first))


def _question(interaction: discord.Interaction) -> tuple[str, Filters]:
    """Return the question and the filters that stand in the message.

    Raises:
        NotFoundError: if there is none.
    """
    question = None if interaction.message is None else question_of(interaction.message)
    if question is None or interaction.message is None:
        raise NotFoundError("I cannot read the question any more. Ask again.")
    return question, filters_of(interaction.message)


def _is_private(interaction: discord.Interaction) -> bool:
    return interaction.message is not None and interaction.message.flags.ephemeral


async def _show_context(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    readable = await _readable(desk, interaction)

    def look(session: Session) -> Context:
        given = known_answer(session, interaction, pressed.first)
        return context_of(session, given, pressed.number(1))

    context = await desk.worker.run(readable, look)
    await interaction.response.send_message(
        view=context_layout(context), ephemeral=True, allowed_mentions=NOBODY
    )


async def _show_more(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    readable = await _readable(desk, interaction)
    question, filters = _question(interaction)
    given = await desk.worker.run(readable, lambda s: known_answer(s, interaction, pressed.first))
    await interaction.response.defer(ephemeral=True, thinking=True)
    answer = await desk.asking.further(interaction, question, filters, limit=MORE_QUOTES)
    shown = [c for c in given.citations if c.number in shown_numbers(interaction.message)]
    further = await desk.worker.run(readable, lambda s: others(s, answer.citations, shown))
    if not further:
        await interaction.edit_original_response(
            view=Layout(text("There is nothing more here that answers it well enough to quote."))
        )
        return
    page = further[:_ON_ONE_PAGE]
    numbered = tuple(replace(c, number=n) for n, c in enumerate(page, start=len(shown) + 1))
    answer = replace(answer, citations=numbered)
    place, asker = place_of(interaction), interaction.user.id

    def remember(session: Session) -> tuple[str, dict[str, Origin]]:
        ids = {c.revision.article_id for c in numbered}
        origins = {k: v for s in session.readable for k, v in s.origins.of(ids).items()}
        return session.answers.add(place, asker, given_citations(answer)), origins

    answer_id, origins = await desk.worker.run(readable, remember)
    blocks = [citation_section(c, origins.get(c.revision.article_id), answer_id) for c in numbered]
    head = text(f"More quotes for “{escaped(shortened(question, 120))}”")
    sent = await interaction.edit_original_response(
        view=Layout(panel(head, *_fitting(blocks), colour=ANSWER_COLOUR)),
        allowed_mentions=NOBODY,
    )
    await desk.worker.run(None, lambda s: s.answers.sent(answer_id, sent.id, place.channel_id))


def _fitting(blocks: list[discord.ui.Section[Any]]) -> list[discord.ui.Section[Any]]:
    """Return the blocks that fit a message together."""
    room = _MAX_MORE
    kept: list[discord.ui.Section[Any]] = []
    for block in blocks:
        room -= length(block)
        if room >= 0 or not kept:
            kept.append(block)
    return kept


async def _follow_up(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    question, filters = _question(interaction)
    private, again = _is_private(interaction), not shown_numbers(interaction.message)
    await _require_known(desk, interaction, pressed)

    async def then(sent: discord.Interaction, asked: str) -> None:
        await desk.asking.by_interaction(sent, asked, filters, private=private)

    await interaction.response.send_modal(
        QuestionForm(question, then, again=again, forms=desk.forms)
    )


async def _drop_filter(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    question, filters = _question(interaction)
    name = pressed.values[1] if len(pressed.values) > 1 else ""
    if name not in Filters.__dataclass_fields__:
        raise UserError("I do not know that filter.")
    await _require_known(desk, interaction, pressed)
    fewer = replace(filters, **{name: None})
    private = _is_private(interaction)
    await desk.asking.by_interaction(interaction, question, fewer, private=private)


async def _open_thread(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    question, _ = _question(interaction)
    if interaction.message is None or interaction.guild_id is None:
        raise UserError("A thread can be opened in a server's channel only.")
    if not interaction.permissions.create_public_threads:
        raise NotAllowedError("You may not open threads here.")
    await _require_known(desk, interaction, pressed)
    await interaction.response.defer(ephemeral=True, thinking=True)
    message = interaction.message
    try:
        thread = await message.create_thread(name=shortened(question, _THREAD_NAME))
    except discord.HTTPException as error:
        if error.code != _HAS_A_THREAD:
            raise
    else:
        hint = "Mention me or reply to me with your next question."
        await thread.send(hint, allowed_mentions=NOBODY)
    # A thread that begins at a message has that message's id.
    await interaction.edit_original_response(
        view=Layout(text(f"Here it is: <#{message.id}>")), allowed_mentions=NOBODY
    )


async def _vote(
    desk: Desk, interaction: discord.Interaction, pressed: Pressed, *, helpful: bool
) -> None:
    readable = await _readable(desk, interaction)

    def vote(session: Session) -> None:
        given = known_answer(session, interaction, pressed.first)
        session.answers.vote(given.id, interaction.user.id, helpful=helpful)

    await desk.worker.run(readable, vote)
    words = "helpful" if helpful else "not helpful"
    await interaction.response.send_message(
        f"Noted: {words}. Thank you; you can change your mind any time.", ephemeral=True
    )


async def _helpful(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await _vote(desk, interaction, pressed, helpful=True)


async def _unhelpful(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await _vote(desk, interaction, pressed, helpful=False)


async def _remove(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    given = await desk.worker.run(
        None, lambda session: known_answer(session, interaction, pressed.first)
    )
    if interaction.user.id != given.asker_id and not may_add(interaction):
        raise NotAllowedError("Only the person who asked, or a moderator, can remove an answer.")
    await interaction.response.defer()
    await interaction.delete_original_response()
    await desk.worker.run(None, lambda session: session.answers.remove(given.id))


BUTTONS = {
    Action.CONTEXT: _show_context,
    Action.MORE: _show_more,
    Action.FOLLOW_UP: _follow_up,
    Action.DROP_FILTER: _drop_filter,
    Action.THREAD: _open_thread,
    Action.HELPFUL: _helpful,
    Action.UNHELPFUL: _unhelpful,
    Action.REMOVE_ANSWER: _remove,
}
