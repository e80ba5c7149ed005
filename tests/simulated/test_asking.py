from handlers.layout import Action
from tests.simulated.world import World, buttons, said

TEXT = "Ann Lee opened the bridge on Monday. It cost four million."


async def test_a_mention_is_answered_with_a_quote(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="Herald", date="2024-10-25")
    asked = await server.member.send(server.channel, world.mention("Who opened the bridge?"))
    answer = server.channel.last_message
    assert answer is not None
    assert "> **Ann Lee** opened the bridge on Monday." in said(answer)
    assert "**Herald** · 25 October 2024" in said(answer)
    assert answer.reference is not None
    assert answer.reference.message_id == asked.id
    assert len(buttons(answer, Action.CONTEXT)) == 1
