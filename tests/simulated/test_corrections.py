from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.data.web import WebServer
from tests.simulated.newsstand import BRIDGE, QUESTION, QUOTE, Newsstand, publisher
from tests.simulated.world import World, said, labels


@pytest.fixture(autouse=True)
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    async with publisher(monkeypatch) as server:
        yield server


@pytest.fixture
def stand(world: World, web: WebServer) -> Newsstand:
    return Newsstand(world, web)


async def test_first(world: World, stand: Newsstand) -> None:
    server = world.server()
    added = await stand.add(server, BRIDGE)
    print(said(added))
    await server.member.send(server.channel, world.mention(QUESTION))
    answer = server.channel.last_message
    print(said(answer))
    stand.publish(replace(BRIDGE, told=(f"{QUOTE} It cost five million crowns.",)))
    await stand.look_again(server)
    print(said(server.channel.last_message))
    for r in world.env.http_requests: print(r.method, r.path, str(r.json)[:200])
    assert 0
