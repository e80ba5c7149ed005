"""Stories, titles, links and questions that want to be more than words, on their whole way."""

import re
from typing import Any
from urllib.parse import unquote

import pytest

from data.models import Span, normalise
from handlers.layouts.layout import Action, parse_custom_id
from handlers.layouts.markdown import shortened
from tests.handlers.layouts.test_layout import broken_limits
from tests.handlers.layouts.test_markdown import Seen, as_shown, read
from tests.simulated.world import Server, World, buttons, said, texts, walk

QUESTION = "Who opened the harbour bridge?"
# In the order of the name: what it is, and the text; USER and ROLE become ids that exist.
ATTACKS = {
    "everyone": "@everyone, @here",
    "mentions": "<@USER> <@!USER> <@&ROLE> <#USER> </ask:USER> <id:customize>",
    "masked link": "[the Herald](https://evil.example/x)",
    "masked link in brackets": "[a [b](https://evil.example) c](<https://evil.example>)",
    "bare links": "https://evil.example/a_b_c http://evil.example <https://evil.example> steam://x",
    "code": "```py\\nimport os``` and `x` and ``y`z``",
    "spoiler": "||hidden|| and || half",
    "emphasis": "***all*** **bold** *it* _it_ __under__ ~~gone~~ **_* half",
    "heading": "# Heading",
    "small heading": "### Heading",
    "small print": "-# small",
    "list": "- item",
    "star list": "* item",
    "numbers": "1. item",
    "quote": "> quote",
    "rest of the message as a quote": ">>> quote",
    "emoji": "<:pepe:USER> <a:party:USER> :smile: ::smile:: :+1::skin-tone-2: 12:30:45",
    "time": "<t:1700000000:R> <t:1700000000>",
    "direction": "\u202egnp.exe\u202c \u200f\u200e\u2066x\u2067y\u2068z\u2069 \u061c",
    "nothing to see": "a\u200bb\u200dc\ufeffd\u2060e\u00adf\u180eg",
    "sequences": "👩\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e007f 🇩🇪🇫 👍🏽 e\u0301\u0302\u0303",
    "backslashes": "\\ \\\\ \\* \\\\* \\_ \\n \\@everyone \\<@USER> \\",
    "brackets": "[…] *[…]* ] ) ( [",
}
# What a message of ours is made of; everything else would come from a story.
OURS = {"quote", "bold", "italic", "small", "link", "code", "time", "heading"}


def filled(attack: str, server: Server) -> str:
    """Return the attack with ids of a person and a role that exist."""
    role = server.guild.roles["Moderators"].id
    return normalise(attack.replace("USER", str(server.member.id)).replace("ROLE", str(role)))


def messages(world: World) -> list[dict[str, Any]]:
    """Return every message that the bot sent or edited, as it was sent."""
    found = []
    for request in world.env.http_requests:
        body = request.json if isinstance(request.json, dict) else {}
        if request.path.endswith("/callback"):
            body = body.get("data") or {} if body["type"] in (4, 7) else {}
        if "components" in body or body.get("content"):
            found.append(body)
    return found


def assert_harmless(world: World) -> None:
    """Look at all that was sent: it pings nobody, and Discord would take it."""
    sent = messages(world)
    assert sent
    for body in sent:
        assert body.get("allowed_mentions") == {"parse": []}
        if body.get("components"):
            assert broken_limits(body["components"]) == []
        assert len(body.get("content") or "") <= 2000


def shown(message: Any) -> list[Seen]:
    """Return what a person sees of each text of a message."""
    return [read(content) for content in texts(message)]


def cited(world: World, guild_id: int, message: Any) -> list[tuple[str, str]]:
    """Return the slices of the stories that the answer's quotes are, and that are in bold."""
    found = []
    session = world.session(guild_id)
    try:
        for custom_id in buttons(message, Action.CONTEXT):
            pressed = parse_custom_id(custom_id)
            assert pressed is not None
            given = session.answers.get(pressed.first)
            assert given is not None
            citation = given.citations[pressed.number(1) - 1]
            services = session.of(citation.collection)
            assert services is not None
            whole = services.articles.revision(citation.revision_id).text
            bold = citation.highlight or Span(0, 1)
            in_bold = bold.slice(whole) if citation.highlight else ""
            found.append((citation.span.slice(whole), in_bold))
    finally:
        session.close()
    return found


def assert_quoted(world: World, guild_id: int, message: Any) -> str:
    """Compare each quote of an answer with the story itself; return the first one."""
    quotes = [seen for seen in shown(message) if seen.quote]
    slices = cited(world, guild_id, message)
    assert len(quotes) == len(slices) >= 1
    for seen, (quote, bold) in zip(quotes, slices, strict=True):
        kept = re.sub(r"^\[…\] | \[…\]$", "", seen.quote) if "italic" in seen.kinds else seen.quote
        assert kept == as_shown(quote)
        assert seen.kinds <= {"quote", "bold", "italic"}
        assert set(seen.of("italic")) <= {"[…]"}
        assert seen.of("bold")[1:] == ([as_shown(bold)] if bold else []), "the first is the number"
        # Above the block stands the number, and nothing is below it.
        assert seen.text.endswith(seen.quote)
    return slices[0][0]


async def answer_to(world: World, server: Server, question: str = QUESTION) -> Any:
    """Return the answer to a mention."""
    await server.member.send(server.channel, world.mention(question))
    answer = server.channel.last_message
    assert answer is not None
    return answer


@pytest.mark.parametrize("place", ["in the middle", "at the beginning"])
@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_story_is_quoted_as_it_is_and_pings_nobody(
    world: World, name: str, place: str
) -> None:
    server = world.server()
    attack = filled(ATTACKS[name], server)
    sentence = (
        f"Ann Lee opened the {attack} harbour bridge on Monday."
        if place == "in the middle"
        else f"{attack} Ann Lee opened the harbour bridge on Monday."
    )
    story = world.add(server.id, f"It was cold.\n\n{sentence}\n\nThat was all.", source="Herald")
    answer = await answer_to(world, server)
    quote = assert_quoted(world, server.id, answer)
    assert "Ann Lee" in quote
    if place == "in the middle" and ". " not in attack:
        assert attack in quote

    context = await server.member.click(answer, custom_id=buttons(answer, Action.CONTEXT)[0])
    block = shown(context.response)[0]
    assert block.quote == block.text
    assert as_shown(sentence) in block.quote
    assert block.kinds <= {"quote", "bold"}

    page = await server.member.slash(server.channel, "article show", article=story.article_id)
    whole = shown(page.response)[1]
    assert whole.quote == whole.text == as_shown(story.text)
    assert whole.kinds == {"quote"}
    await server.member.click(answer, label="More quotes")
    assert_harmless(world)


async def test_a_sentence_of_five_thousand_characters_is_cut_outside_of_the_quote(
    world: World,
) -> None:
    server = world.server()
    filler = "and *so* they @everyone went on along the river "
    sentence = f"{filler * 50}Ann Lee opened the harbour bridge {filler * 55}till dusk."
    assert len(sentence) > 5000
    world.add(server.id, sentence)
    answer = await answer_to(world, server)
    assert "opened the harbour bridge" in assert_quoted(world, server.id, answer)
    assert said(answer).count("*[…]*") == 2
    context = await server.member.click(answer, custom_id=buttons(answer, Action.CONTEXT)[0])
    assert shown(context.response)[0].quote in sentence
    assert_harmless(world)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_no_line_end_of_a_story_closes_the_block_that_it_stands_in(
    world: World, end: str
) -> None:
    server = world.server()
    # Hard-wrapped, so that the lines are one sentence and one quote.
    lines = [
        "Ann Lee opened the harbour bridge, which had been",
        "- as everybody in the town had known for a while -",
        "closed since the flood, on a cold Monday morning.",
    ]
    story = world.add(server.id, end.join(lines), source="Herald")
    answer = await answer_to(world, server)
    assert_quoted(world, server.id, answer)
    page = await server.member.slash(server.channel, "article show", article=story.article_id)
    whole = shown(page.response)[1]
    assert whole.quote == whole.text == "\n".join(lines)
    assert whole.kinds == {"quote"}
    assert_harmless(world)


@pytest.mark.parametrize("name", ATTACKS)
async def test_hostile_titles_and_names_are_shown_as_words(world: World, name: str) -> None:
    server = world.server()
    attack = filled(ATTACKS[name], server)
    story = world.add(
        server.id,
        "Ann Lee opened the harbour bridge on Monday.",
        title=f"{attack} harbour",
        source=f"S {attack}",
        author=f"{attack} A",
        date="2024-10-25",
    )
    answer = await answer_to(world, server)
    in_order = [answer]
    for path, options in (
        ("article list", {}),
        ("article search", {"query": "harbour bridge"}),
        ("article show", {"article": story.article_id}),
        ("article remove", {"article": story.article_id}),
        ("article edit", {"article": story.article_id, "author": f"{attack} B"[:100]}),
        ("index status", {}),
    ):
        result = await server.admin.slash(server.channel, path, **options)
        assert result.response is not None
        in_order.append(result.response)
    visible = " ".join(re.sub("[\u202a-\u202e\u2066-\u2069]", "", attack).split())
    for message in in_order:
        seen = shown(message)
        marks = [mark for one in seen for mark in one.marks]
        assert {kind for kind, _ in marks} <= OURS
        assert all(one.text == one.quote or "quote" not in one.kinds for one in seen[2:])
        together = "\n".join(one.text for one in seen)
        assert visible[:60] in together
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", together)
    choices = await server.admin.autocomplete(server.channel, "article edit", "article", "harbour")
    assert [choice["value"] for choice in choices] == [story.article_id]
    assert all(1 <= len(choice["name"]) <= 100 for choice in choices)
    assert_harmless(world)


@pytest.mark.parametrize("source", ["*S*  @everyone", " The  Herald ", "a\u202eb", "**", "😀" * 50])
async def test_a_publisher_that_is_offered_can_be_asked_for(world: World, source: str) -> None:
    server = world.server()
    world.add(server.id, "Ann Lee opened the harbour bridge on Monday.", source=source)
    (choice,) = await server.member.autocomplete(server.channel, "ask", "source", "", question="x")
    asked = await server.member.slash(
        server.channel, "ask", question=QUESTION, source=choice["value"]
    )
    assert asked.response is not None
    assert_quoted(world, server.id, asked.response)
    (only,) = [seen for seen in shown(asked.response) if seen.text.startswith("Only stories")]
    assert only.kinds == {"bold"}
    await server.member.click(asked.response, label="Drop")
    assert_harmless(world)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/a_(b)_[c]*d*",
        "https://news.example/a)b](c|d||e",
        "https://news.example/`a`~~b~~<c>",
        "https://[::1]:8080/x",
        "https://news.example/a#part",
        "https://例え.jp/新聞",
    ],
)
async def test_a_hostile_address_is_one_link_to_that_page(world: World, url: str) -> None:
    server = world.server()
    added = await server.contributor.slash(
        server.channel,
        "article add",
        file=("a.txt", b"Ann Lee opened the harbour bridge on Monday."),
        link=url,
    )
    assert added.response is not None
    assert "no web address" not in said(added.response)
    links = [link for seen in shown(await answer_to(world, server)) for link in seen.of("link")]
    assert len(links) == 1
    target = links[0].partition("](")[2].removesuffix(")")
    assert not re.search(r"[\s()<>]", target)
    assert unquote(target.partition(":~:")[0].removesuffix("#")) == url
    assert_harmless(world)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://news.example/a b",
        "https://news.example/\u202eexe",
        "//news.example",
        "https://",
        "[x](https://news.example)",
    ],
)
async def test_what_is_no_address_never_becomes_a_link(world: World, url: str) -> None:
    server = world.server()
    added = await server.contributor.slash(
        server.channel,
        "article add",
        file=("a.txt", b"Ann Lee opened the harbour bridge on Monday."),
        link=url,
    )
    assert added.response is not None
    assert "no web address" in said(added.response)
    links = [link for seen in shown(await answer_to(world, server)) for link in seen.of("link")]
    # The message that it came with, which is ours.
    assert [link.partition("](")[2][:31] for link in links] == [
        "https://discord.com/channels/" + str(server.id)[:2]
    ]
    assert_harmless(world)


async def test_a_very_long_address_leaves_the_answer_whole(world: World) -> None:
    server = world.server()
    world.add(
        server.id,
        "Ann Lee opened the harbour bridge on Monday.",
        url="https://news.example/" + "a_(" * 600,
    )
    answer = await answer_to(world, server)
    assert_quoted(world, server.id, answer)
    assert not [link for seen in shown(answer) for link in seen.of("link")]
    assert_harmless(world)


@pytest.mark.parametrize("letter", ["*", "é", "😀", "\\", "ﷺ"])
async def test_a_date_that_is_none_is_told_however_long_it_is(world: World, letter: str) -> None:
    server = world.server()
    text = f'---\ndate: "{letter * 490}"\n---\nAnn Lee opened the harbour bridge on Monday.'
    if letter == "\\":
        text = text.replace('"', "'")
    added = await server.contributor.slash(
        server.channel, "article add", file=("a.md", text.encode())
    )
    assert added.response is not None
    assert "Added" in said(added.response)
    assert "cannot be read for certain" in said(added.response)
    assert_harmless(world)


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_question_is_shown_as_it_was_asked(world: World, name: str) -> None:
    server = world.server()
    world.add(server.id, "Ann Lee opened the harbour bridge on Monday.")
    question = f"{filled(ATTACKS[name], server)} Who opened the harbour bridge?"
    asked = await server.member.slash(server.channel, "ask", question=question)
    assert asked.response is not None
    title = shown(asked.response)[0]
    assert title.text == " ".join(question.split())
    assert title.kinds == {"heading"}
    (follow_up,) = buttons(asked.response, Action.FOLLOW_UP)
    form = await server.member.click(asked.response, custom_id=follow_up)
    assert form.modal is not None
    (field,) = [part for part in walk(form.modal["components"]) if part["type"] == 4]
    # An example of a question, and at most as long as Discord lets it be.
    assert field["placeholder"] == shortened(title.text, 100)
    replied = shown(await answer_to(world, server, question))[0]
    assert replied == title
    assert_harmless(world)


@pytest.mark.parametrize("path", ["article show", "article edit", "article remove"])
async def test_what_nobody_knows_is_refused_without_pinging_anybody(
    world: World, path: str
) -> None:
    server = world.server()
    asked = await server.admin.slash(server.channel, path, article="@everyone [x](https://e.org)")
    assert asked.response is not None
    assert {kind for seen in shown(asked.response) for kind in seen.kinds} == set()
    await server.admin.slash(server.channel, "ask", question="x", after="@everyone **x**")
    assert_harmless(world)
