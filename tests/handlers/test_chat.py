from typing import Any
from unittest.mock import Mock

import discord
import pytest

from handlers.chat import HINT, Heard, Hint, Question, decide, heard
from handlers.desk import Hints

ME = 1000


def told(content: str = "", **facts: bool) -> Heard:
    """Return a person's message in a server that does not concern the bot, but for `facts`."""
    usual = {"from_person": True, "direct": False, "mentions_me": False, "in_own_thread": False}
    return Heard(content=content, **{**usual, **facts})


def person(user_id: int, *, bot: bool = False) -> Any:
    user = Mock(spec=discord.Member)
    user.id, user.bot = user_id, bot
    return user


def message(content: str = "Who won?", **facts: Any) -> Any:
    """Return a message as discord.py has it: in a channel of a server, by a person."""
    made = Mock(spec=discord.Message)
    made.content = content
    made.author = person(1)
    made.webhook_id = None
    made.type = discord.MessageType.default
    made.guild = Mock(spec=discord.Guild)
    made.channel = Mock(spec=discord.TextChannel)
    made.mentions = []
    made.role_mentions = []
    made.mention_everyone = False
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def thread(owner_id: int) -> Any:
    made = Mock(spec=discord.Thread)
    made.owner_id = owner_id
    return made


ME_MYSELF: Any = person(ME, bot=True)


def test_a_mention_with_a_question_asks_it_without_the_mention() -> None:
    assert decide(told(f"<@{ME}> Who won?", mentions_me=True), ME) == Question("Who won?")


@pytest.mark.parametrize(
    "content", [f"Who won, <@{ME}>?", f"<@!{ME}> Who won, ?", f"Who won, <@!{ME}>?"]
)
def test_the_mention_may_stand_anywhere_and_have_its_old_form(content: str) -> None:
    decision = decide(told(content, mentions_me=True), ME)
    assert isinstance(decision, Question)
    assert decision.text.split() == ["Who", "won,", "?"]


def test_mentions_of_others_stay_in_the_question() -> None:
    decision = decide(told(f"<@{ME}> what did <@77> say?", mentions_me=True), ME)
    assert decision == Question("what did <@77> say?")


@pytest.mark.parametrize("content", [f"<@{ME}>", f"  <@{ME}> \n <@!{ME}> ", ""])
def test_a_mention_without_a_question_is_told_how_to_ask(content: str) -> None:
    assert decide(told(content, mentions_me=True), ME) == Hint(HINT)


def test_a_direct_message_needs_no_mention() -> None:
    assert decide(told("Who won?", direct=True), ME) == Question("Who won?")


def test_a_direct_message_without_words_is_told_how_to_ask() -> None:
    # Such as a picture alone.
    assert decide(told("", direct=True), ME) == Hint(HINT)


def test_a_message_that_is_not_for_the_bot_is_left_alone() -> None:
    assert decide(told("Who won?"), ME) is None


@pytest.mark.parametrize("place", ["direct", "mentions_me", "in_own_thread"])
def test_what_no_person_wrote_is_left_alone_wherever_it_stands(place: str) -> None:
    assert decide(told("Who won?", from_person=False, **{place: True}), ME) is None


def test_a_message_in_the_bots_own_thread_asks_where_its_content_is_known() -> None:
    assert decide(told("Who won?", in_own_thread=True), ME) == Question("Who won?")


def test_a_message_in_the_bots_own_thread_without_content_is_told_to_mention_it() -> None:
    # Without the privileged intent Discord hands over messages as empty that do not concern us.
    decision = decide(told("", in_own_thread=True), ME)
    assert isinstance(decision, Hint)
    assert "mention me or reply to me" in decision.text


def test_a_mention_alone_in_the_bots_own_thread_gets_the_usual_hint() -> None:
    assert decide(told(f"<@{ME}>", in_own_thread=True, mentions_me=True), ME) == Hint(HINT)


def test_a_persons_message_in_a_channel_concerns_nobody() -> None:
    assert heard(message(), ME_MYSELF) == told("Who won?")


def test_a_mention_and_a_reply_that_pings_are_heard_as_mentions() -> None:
    assert heard(message(mentions=[person(2), person(ME)]), ME_MYSELF).mentions_me
    reply = message(type=discord.MessageType.reply, mentions=[person(ME)])
    assert heard(reply, ME_MYSELF) == told("Who won?", mentions_me=True)


def test_a_reply_that_does_not_ping_is_not_for_the_bot() -> None:
    reply = message("", type=discord.MessageType.reply, mentions=[])
    assert decide(heard(reply, ME_MYSELF), ME) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"mention_everyone": True, "content": "@everyone who won?"},
        {"role_mentions": [Mock(spec=discord.Role)], "content": "<@&55> who won?"},
        {"mentions": [person(2)], "content": "<@2> who won?"},
    ],
    ids=["everyone", "role", "somebody-else"],
)
def test_everyone_roles_and_other_people_are_not_the_bot(facts: dict[str, Any]) -> None:
    assert decide(heard(message(**facts), ME_MYSELF), ME) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"author": person(9, bot=True)},
        {"webhook_id": 123},
        {"type": discord.MessageType.pins_add},
        {"type": discord.MessageType.new_member},
        {"type": discord.MessageType.thread_starter_message},
    ],
    ids=["bot", "webhook", "pin", "join", "thread-starter"],
)
def test_bots_webhooks_and_service_messages_are_no_people(facts: dict[str, Any]) -> None:
    said_to_me = message(mentions=[person(ME)], **facts)
    assert not heard(said_to_me, ME_MYSELF).from_person
    assert decide(heard(said_to_me, ME_MYSELF), ME) is None


def test_a_message_without_a_server_is_direct() -> None:
    assert heard(message(guild=None), ME_MYSELF) == told("Who won?", direct=True)


def test_a_message_in_a_server_that_is_not_heard_of_yet_is_not_direct() -> None:
    channel = Mock(spec=discord.PartialMessageable, guild_id=5)
    assert heard(message(guild=None, channel=channel), ME_MYSELF) == told("Who won?")


def test_only_a_thread_that_the_bot_opened_is_its_own() -> None:
    assert heard(message(channel=thread(ME)), ME_MYSELF).in_own_thread
    assert not heard(message(channel=thread(2)), ME_MYSELF).in_own_thread


def test_a_channel_is_told_only_once_how_to_ask() -> None:
    hints = Hints()
    assert [hints.first(5), hints.first(5), hints.first(6), hints.first(5)] == [
        True,
        False,
        True,
        False,
    ]
