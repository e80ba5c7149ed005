"""Kills real processes at random moments and checks that nothing acknowledged is lost.

`python -m tests.e2e.crash --kills 200` prints what it did and exits with 1 on the first finding.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import open_services, settings_for
from data.models import normalise

ROOT = Path(__file__).resolve().parent.parent.parent
STORIES = 48
# Moments are drawn from the whole run of a command, which a first, unharmed run of it measures.
EARLIEST = 0.2  # seconds; before that the interpreter has not begun to work


class CrashFoundError(Exception):
    """Something acknowledged is missing, or `verify` is not clean."""


def story_text(number: int, version: int) -> str:
    """Return a story of some hundred sentences, different for each number and version."""
    draw = random.Random(f"{number}-{version}")
    names = ["Larkmoor", "Quillhaven", "Skerrin", "Dunmere", "Wexcombe", "Tarn", "Orrick"]
    verbs = ["opened", "closed", "bought", "sold", "repaired", "lost", "found", "painted"]
    things = ["a bridge", "a ferry", "the café", "a school", "two mills", "the harbour", "a mine"]
    sentences = [
        f"{draw.choice(names)} {draw.choice(verbs)} {draw.choice(things)}"
        f" for {draw.randint(2, 999)} crowns in version {version} of report {number}."
        for _ in range(30)
    ]
    return "\n\n".join(" ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5))


@dataclass
class World:
    """What must be true of the home: external id -> the versions of its text that may stand."""

    home: Path
    draw: random.Random
    certain: dict[str, set[int]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    durations: dict[str, float] = field(default_factory=dict)
    version: int = 0

    def command(self, *words: str) -> list[str]:
        """Return the command line of bot.py on this home."""
        return [sys.executable, str(ROOT / "bot.py"), "--home", str(self.home), *words]

    def run(self, name: str, *words: str, kill: bool) -> bool:
        """Run bot.py, killed at a random moment or to its end; return whether it ended well."""
        begun = time.monotonic()
        process = subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        if not kill:
            out, err = process.communicate()
            self.durations[name] = time.monotonic() - begun
            if process.returncode != 0:
                raise CrashFoundError(f"{words} failed: {out.decode()} {err.decode()}")
            return True
        try:
            process.wait(self.draw.uniform(EARLIEST, self.durations[name]))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        return process.returncode == 0

    def write_import(self) -> tuple[Path, list[str]]:
        """Write a file with a new version of some stories; return it and their ids."""
        self.version += 1
        ids = self.draw.sample(range(STORIES), STORIES // 2)
        path = self.home.parent / f"import-{self.version}.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            for number in ids:
                row = {"id": f"s{number}", "title": f"Report {number}", "source": "The Ledger"}
                row["text"] = story_text(number, self.version)
                stream.write(json.dumps(row) + "\n")
        return path, [f"s{number}" for number in ids]

    def do_import(self, *, kill: bool) -> None:
        """Import new versions, in one command."""
        path, ids = self.write_import()
        ended = self.run("import", "import", str(path), kill=kill)
        for story in ids:
            if ended:
                self.certain[story] = {self.version}
                self.gone.discard(story)
            elif story in self.certain:
                self.certain[story] = self.certain[story] | {self.version}
            else:
                self.gone.discard(story)

    def do_remove(self, *, kill: bool) -> None:
        """Remove one story."""
        if not self.certain:
            return
        story = self.draw.choice(sorted(self.certain))
        ended = self.run("remove", "remove", story, kill=kill)
        self.certain.pop(story)
        if ended:
            self.gone.add(story)

    def do_rebuild(self, *, kill: bool) -> None:
        """Rebuild the index, with or without cutting anew."""
        words = ["rebuild"] + (["--rechunk"] if self.draw.random() < 0.5 else [])
        self.run("rebuild", *words, kill=kill)

    def check(self) -> None:
        """Verify the home, compare it with what must be true, and ask it something.

        Raises:
            CrashFoundError: on the first thing that is wrong.
        """
        services = open_services(settings_for(self.home), "shared")
        try:
            report = services.verifier.verify()
            if not report.clean:
                raise CrashFoundError(f"verify: {report.problems}")
            present = {r.external_id: r for r in services.articles.current()}
            for story, versions in self.certain.items():
                if story not in present:
                    raise CrashFoundError(f"the acknowledged story {story} is missing")
                texts = {normalise(story_text(int(story[1:]), v)): v for v in versions}
                if present[story].text not in texts:
                    raise CrashFoundError(f"story {story} has a text that nobody acknowledged")
                self.certain[story] = {texts[present[story].text]}
            returned = self.gone & present.keys()
            if returned:
                raise CrashFoundError(f"removed stories are back: {returned}")
            if self.certain:
                answer = services.answerer.answer("How much was the bridge in Larkmoor?")
                services.answerer.recheck(answer)
                if not answer.citations:
                    raise CrashFoundError("a question that has an answer got none")
        finally:
            services.close()


def crash_test(home: Path, *, kills: int, seed: int) -> int:
    """Kill `kills` commands on a home; return how many were really hit before they ended.

    Raises:
        CrashFoundError: on the first thing that is wrong.
    """
    world = World(home, random.Random(seed))
    for action in (world.do_import, world.do_rebuild, world.do_remove):
        action(kill=False)
        world.check()
    actions = [world.do_import, world.do_import, world.do_remove, world.do_rebuild]
    for number in range(1, kills + 1):
        action = world.draw.choice(actions)
        action(kill=True)
        world.check()
        name = action.__name__.removeprefix("do_")
        print(f"{number}/{kills} {name}: clean, {len(world.certain)} stories", flush=True)  # noqa: T201
        if number % 10 == 0:  # so that acknowledged states keep coming
            world.do_import(kill=False)
            world.check()
    return kills


def main() -> None:
    """Run the test from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="pullquote-crash-") as folder:
        try:
            crash_test(Path(folder) / "home", kills=options.kills, seed=options.seed)
        except CrashFoundError as error:
            sys.exit(f"FOUND: {error}")
    print(f"{options.kills} kills, nothing lost, verify clean after each")  # noqa: T201


if __name__ == "__main__":
    main()
