"""Many people ask at once: does each get a word in time, and only from their own server?

Starts the real bot with the real encoder on a fake Discord on loopback, which shares its cores.
Half of the people mention it, half use /ask. Every server has the same stories with other names
in them and is asked the same questions, so a story of another server would answer them as well.
Exits with 1 if somebody got nothing or an error, the first sign of life came too late, or a server
was told another one's names.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.common import report
from bot import Opener, settings_for
from data.ingestion import Given, parse_story
from handlers.layouts.layout import Action
from tests.e2e.bot_process import BotProcess, buttons, said
from tests.e2e.fake_discord import FakeDiscord, Interaction, Json, Request

ACKNOWLEDGED_WITHIN = 2.0  # seconds, at the 95th percentile
PATIENCE = 120.0  # seconds after which nothing more is expected
BUSY_WORDS = ("I am busy", "a lot of questions")
DEEDS = (
    "opened the bridge in Larkmoor",
    "sold the ferry to Skerrin",
    "repaired the clock of Dunmere",
    "closed the mine at Orrick",
    "painted the harbour of Wexcombe",
    "bought the mill on the Tarn",
    "found the bell of Quillhaven",
    "lost the election in Stobbing",
    "planted the orchard at Fennel Street",
    "raised the taxes on herring",
)
FILLER = (
    "The council had talked about it for years.",
    "Neighbours brought cake, and a band played until it rained.",
    "The price of it was not made known.",
    "An earlier plan had failed for want of money.",
    "A report is expected before the summer.",
)
_SYLLABLES = ("Bra", "Dov", "Fen", "Gil", "Hul", "Jor", "Kes", "Mur", "Pel", "Vax")
_ENDINGS = ("andel", "emberg", "issom", "ovitch", "ughton", "yrant", "ebury", "oxley", "armin")


@dataclass
class Server:
    """A server, its channels, one for each of its people, and the name that only it knows."""

    guild: str
    name: str
    channels: list[str]


@dataclass
class Asked:
    """A question: the message or command that asked it, and what came back for it when."""

    server: Server
    channel: str
    at: float
    message: str | None = None
    command: Interaction | None = None

    def first_sign(self, requests: list[Request]) -> float | None:
        """Seconds until the person saw that the bot is at it."""
        if self.command is not None:
            acknowledged = self.command.acknowledged_at
            return None if acknowledged is None else acknowledged - self.at
        return next((r.at - self.at for r in self._sent(requests)), None)

    def answered(self, requests: list[Request]) -> float | None:
        """Seconds until the words were sent that are there now."""
        sent = [r.at - self.at for r in self._sent(requests) if r.body]
        return sent[-1] if sent else None

    def words(self, fake: FakeDiscord) -> Json | None:
        """The message that the person got, if they got one."""
        if self.command is not None:
            return self.command.original
        return next(iter(fake.replies(self.message or "")), None)

    def _sent(self, requests: list[Request]) -> Iterator[Request]:
        place = f"/{self.command.payload['token']}/" if self.command else f"/{self.channel}/"
        return (r for r in requests if place in r.path and 200 <= r.status < 300)


def names(count: int) -> list[str]:
    """Return so many names that no text has by chance."""
    made = [first + last for last, first in itertools.product(_ENDINGS, _SYLLABLES)]
    if count > len(made):
        raise SystemExit(f"There are names for {len(made)} servers only.")
    return made[:count]


def build(fake: FakeDiscord, servers: int, people: int) -> list[Server]:
    """Return new servers with a channel for each of their people."""
    made = []
    for name in names(servers):
        guild = fake.add_guild(name)
        channels = [fake.add_channel(guild, f"room-{n}") for n in range(people)]
        made.append(Server(guild, name, channels))
    return made


def fill(home: Path, servers: list[Server]) -> None:
    """Give each server the same stories, about its own name."""
    opener = Opener(settings_for(home))
    for server in servers:
        services = opener.services(server.guild)
        for number, deed in enumerate(DEEDS):
            told = [*FILLER[number % 5 :], *FILLER[: number % 5]] * 4
            text = f"{' '.join(told[:9])} {server.name} {deed} on Monday. {' '.join(told[9:])}"
            given = Given(source=f"The {server.name} Herald", published_at="2025-05-10")
            services.indexer.add(parse_story(text.encode(), name="A story", given=given))
        services.close()


async def ask(fake: FakeDiscord, servers: list[Server], questions: int) -> list[Asked]:
    """Ask all questions at once, the servers taking turns."""
    asked: list[Asked] = []
    for number in range(questions):
        server, turn = servers[number % len(servers)], number // len(servers)
        channel, question = server.channels[turn], f"Who {DEEDS[turn % len(DEEDS)]}?"
        person = fake.add_member(server.guild, fake.add_user(f"person {number}"))
        one = Asked(server, channel, time.monotonic())
        if (number + turn) % 2:
            one.command = await fake.slash(channel, person, "ask", {"question": question})
        else:
            one.message = await fake.say(channel, person, question, mention_bot=True)
        asked.append(one)
    return asked


def outcome(one: Asked, fake: FakeDiscord, strangers: set[str]) -> str:
    """Return what a person got: answer, refusal, busy, error, nothing, or another's words."""
    message = one.words(fake)
    if message is None:
        return "nothing"
    words = said(message)
    if any(name in words for name in strangers - {one.server.name}):
        return "cross-talk"
    if buttons(message, Action.CONTEXT):
        return "answer" if one.server.name in words else "other answer"
    if buttons(message, Action.FOLLOW_UP):
        return "refusal"
    return "busy" if any(word in words for word in BUSY_WORDS) else "error"


def percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Return the middle and the 95th percentile, named."""
    return {
        f"{name}_p{share}_s": float(np.percentile(seconds, share)) if seconds else float("nan")
        for share in (50, 95)
    }


def peak_memory_mb(pid: int) -> int:
    """Return the most memory that a process has held so far, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


async def measure(questions: int, servers: int) -> dict[str, float | int]:
    """Run the bot under the load; return the figures."""
    with TemporaryDirectory(prefix="pullquote-benchmark-") as folder:
        async with FakeDiscord() as fake:
            there = build(fake, servers, -(-questions // servers))
            home = Path(folder) / "home"
            fill(home, there)
            bot = BotProcess(home, fake)
            try:
                await bot.start()
                asked = await ask(fake, there, questions)
                deadline = time.monotonic() + PATIENCE
                while not all(one.words(fake) for one in asked) and time.monotonic() < deadline:
                    await asyncio.sleep(0.1)
                memory = peak_memory_mb(bot.pid)
                await bot.stop()  # lets what is under way end, so what is missing then stays so
            finally:
                await bot.close()
            strangers = {server.name for server in there}
            count = Counter(outcome(one, fake, strangers) for one in asked)
            signs = [one.first_sign(fake.requests) for one in asked]
            ends = [one.answered(fake.requests) for one in asked]
    kinds = ("answer", "other answer", "refusal", "busy", "error", "nothing", "cross-talk")
    return {
        "questions": questions,
        "servers": servers,
        **{f"got_{kind.replace(' ', '_').replace('-', '_')}": count[kind] for kind in kinds},
        "no_first_sign": signs.count(None),
        **percentiles("first_sign", [s for s in signs if s is not None]),
        **percentiles("words", [s for s in ends if s is not None]),
        "bot_peak_memory_mb": memory,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.questions, options.servers))
    report("Many questions at once on Discord", figures, options.json)
    lost = sum(figures[f"got_{kind}"] for kind in ("nothing", "error", "cross_talk"))
    late = not figures["first_sign_p95_s"] < ACKNOWLEDGED_WITHIN
    sys.exit(1 if lost or late or figures["no_first_sign"] else 0)


if __name__ == "__main__":
    main()
