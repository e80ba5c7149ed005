import asyncio
import json
import mimetypes
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aiohttp import web

Json = dict[str, Any]
File = tuple[str, bytes]  # name and content
Files = Sequence[File]
T = TypeVar("T")
K = TypeVar("K")

ADMINISTRATOR, EVERYTHING = 1 << 3, (1 << 53) - 1
# By default everyone may see, write, embed, attach, read back, use commands and threads.
EVERYONE = 3 << 10 | 7 << 14 | 1 << 31 | 1 << 35 | 1 << 38
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
# Members, presences, message content: refused unless switched on in the portal.
PRIVILEGED_INTENTS = 1 << 1 | 1 << 8 | 1 << 15
UPLOAD_LIMIT, CONTENT_LIMIT = 10 << 20, 2000  # bytes, characters
ACKNOWLEDGE_WITHIN = 3.0  # seconds
# After a reply arrived, the client needs a few turns of its loop to store the view it sent.
SETTLE = 0.05  # seconds
# Which callbacks may answer a command, a component, an autocomplete, a modal.
CALLBACKS = {2: (4, 5, 9), 3: (4, 5, 6, 7, 9), 4: (8,), 5: (4, 5, 6, 7)}


class Refused(Exception):  # noqa: N818 - an answer of the API, no fault of the fake
    """An error reply: HTTP status, Discord's code, Discord's text."""


@dataclass
class Request:
    """One HTTP request; `status` is 0 until the reply is made, `at` is when it came (monotonic)."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None
    files: Files = ()
    status: int = 0
    at: float = field(default_factory=time.monotonic)


@dataclass
class Interaction:
    """What the bot did with one interaction; `message` is @original, even while it is a defer."""

    payload: Json
    user: str
    created_at: float = field(default_factory=time.monotonic)
    acknowledged_at: float | None = None
    callbacks: list[tuple[int, Json]] = field(default_factory=list)
    followups: list[Json] = field(default_factory=list)
    modal: Json | None = None
    message: Json | None = None

    @property
    def original(self) -> Json | None:
        """The original response; None while there is none or the bot is "thinking"."""
        return self.message if self.message and not self.message["flags"] & LOADING else None


def walk_components(components: Sequence[Json]) -> Iterator[Json]:
    """Every component of a message or modal, outer ones first."""
    for part in components:
        yield part
        inner = [part[key] for key in ("component", "accessory") if key in part]
        yield from walk_components([*part.get("components", ()), *inner])


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _found(among: Mapping[K, T], key: K, code: int, text: str) -> T:
    if key not in among:
        raise Refused(404, code, text)
    return among[key]


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    # Without a charset: discord.py parses a body only where the type is exactly this.
    typed = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(status=status, body=json.dumps(body).encode(), headers=typed)


class DiscordServer:
    """Discord's REST API v10 and gateway on loopback, for one real discord.py client.

    Ids are strings. Build the world before the client connects. What stands in `messages` is
    whole; the bot gets what it may read.
    """

    def __init__(self) -> None:
        self.token = "the-only-right-token"
        self.requests: list[Request] = []
        self.unknown_routes: list[str] = []
        self.close_codes: list[int | None] = []  # of the gateway connections that ended
        self.identifies = self.resumes = self._in_flight = self._beats = self._last_id = 0
        self.users: dict[str, Json] = {}
        self.guilds: dict[str, Json] = {}
        self.members: dict[tuple[str, str], Json] = {}  # by guild and user
        self.channels: dict[str, Json] = {}
        self.dms: dict[str, str] = {}  # channel by user
        self.messages: dict[str, Json] = {}
        self.commands: dict[str, list[Json]] = {"": []}  # by guild, "" for the global ones
        self.interactions: dict[str, Interaction] = {}  # by token
        self._files: dict[str, bytes] = {}
        self._faults: list[tuple[str, str, tuple[int, Any, Mapping[str, str]]]] = []
        self._ws: web.WebSocketResponse | None = None
        self._transports: list[asyncio.Transport] = []
        self._log: list[str] = []  # the session's events for RESUME; the one at n has s = n + 1
        self._session = ""
        self.bot = self.add_user("Fake bot", bot=True)  # also the application's id

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * UPLOAD_LIMIT)
        app.router.add_get("/gateway", self._serve_gateway)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.api, self.cdn = f"http://{host}/api/v10", f"http://{host}/cdn"
        self.gateway = f"ws://{host}/gateway"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop_connections()
        await self._runner.cleanup()

    def new_id(self) -> str:
        """A snowflake greater than all before it."""
        now = (time.time_ns() // 10**6 - 1420070400000) << 22
        self._last_id = max(self._last_id + 1, now)
        return str(self._last_id)

    def add_user(self, name: str, *, bot: bool = False) -> str:
        """A new user, who has a direct channel with the bot in `dms`."""
        new, dm = self.new_id(), self.new_id()
        user = {"id": new, "username": name, "discriminator": "0", "avatar": None, "bot": bot}
        self.users[new], self.dms[new] = user, dm
        self.channels[dm] = {"id": dm, "type": 1, "recipients": [user]}
        return new

    def add_guild(self, name: str, owner: str | None = None, everyone: int = EVERYONE) -> str:
        """A new server with its owner and the bot."""
        new, owner = self.new_id(), owner or self.add_user("Owner")
        self.guilds[new] = {"id": new, "name": name, "owner_id": owner, "features": [], "roles": []}
        self.add_role(new, "@everyone", everyone)
        self.add_member(new, owner)
        self.add_member(new, self.bot)
        return new

    def add_role(self, guild: str, name: str, permissions: int) -> str:
        """A new role; for @everyone, the one there is, with other permissions."""
        new = guild if name == "@everyone" else self.new_id()
        role = {"id": new, "name": name, "permissions": str(permissions), "position": 0}
        others = [other for other in self.guilds[guild]["roles"] if other["id"] != new]
        self.guilds[guild]["roles"] = [*others, role]
        return new

    def add_member(self, guild: str, user: str, *roles: str) -> str:
        """The user, now in the server with these roles."""
        self.members[guild, user] = {"roles": [*roles], "flags": 0, "joined_at": _now()}
        return user

    def add_channel(self, guild: str, name: str) -> str:
        """A new text channel."""
        new = self.new_id()
        self.channels[new] = {"id": new, "guild_id": guild, "type": 0, "name": name, "position": 0}
        return new

    def permissions(self, user: str, channel: str) -> int:
        """What the user may do there: everything as owner, as administrator and in a DM."""
        guild = self.guilds.get(self.channels[channel].get("guild_id", ""))
        if guild is None or guild["owner_id"] == user:
            return EVERYTHING
        mine, value = [guild["id"], *self.members[guild["id"], user]["roles"]], 0
        for role in guild["roles"]:
            value |= int(role["permissions"]) if role["id"] in mine else 0
        return EVERYTHING if value & ADMINISTRATOR else value

    def upload(self, file: File) -> Json:
        """The attachment for an uploaded file, whose bytes lie under its url from now on."""
        new, name = self.new_id(), re.sub(r"[^\w.-]", "_", file[0])
        path = f"/attachments/{new}/{name}"
        self._files["/cdn" + path] = file[1]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        about = {"filename": name, "size": len(file[1]), "content_type": kind}
        return {"id": new, "url": self.cdn + path, "proxy_url": self.cdn + path, **about}

    def messages_in(self, channel: str) -> list[Json]:
        """The messages of a channel, oldest first."""
        return [message for message in self.messages.values() if message["channel_id"] == channel]

    def replies(self, message: str) -> list[Json]:
        """The replies to a message, oldest first."""
        answers = [one for one in self.messages.values() if "message_reference" in one]
        return [one for one in answers if str(one["message_reference"]["message_id"]) == message]

    def fail_next(
        self, method: str, path_regex: str, status: int, *, times: int = 1, **reply: Any
    ) -> None:
        """Give the next `times` requests like this that status; `body` and `headers` can be set."""
        body: Json = {"message": f"{status}: asked for", "code": 0}
        headers: dict[str, str] = {}
        if status == 429:  # without a Via header discord.py takes it for a ban and gives up
            body = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
            headers = {"Via": "1.1 fake", "Retry-After": "1", "X-RateLimit-Reset-After": "0.2"}
            headers |= {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0"}
        answer = (status, reply.get("body") or body, headers | (reply.get("headers") or {}))
        self._faults += [(method, path_regex, answer)] * times

    async def until(self, predicate: Callable[[], T | None], timeout: float = 20) -> T:
        """The first true value; looked at only while no request is being answered.

        Raises:
            TimeoutError: There was none in time; the text has the latest requests.
        """
        deadline = time.monotonic() + timeout
        while self._in_flight or not (value := predicate()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout} s; {self.requests[-5:]}")
            await asyncio.sleep(0.01)
        return value

    def drop_connections(self) -> None:
        """Cut the socket without a goodbye; events are kept from then on for the RESUME."""
        for transport in self._transports:
            transport.abort()
        self._transports, self._ws = [], None

    async def _dispatch(self, event: str, data: Json) -> None:
        self._log.append(json.dumps({"op": 0, "t": event, "s": len(self._log) + 1, "d": data}))
        if self._ws is not None:
            with suppress(ConnectionError):
                await self._ws.send_str(self._log[-1])

    async def _serve_gateway(self, request: web.Request) -> web.WebSocketResponse:
        # Always plain text: discord.py asks for compression, but unpacks only binary frames.
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if isinstance(request.transport, asyncio.Transport):
            self._transports.append(request.transport)
        await ws.send_json({"op": 10, "d": {"heartbeat_interval": 41250}})
        async for frame in ws:
            op, data = (sent := json.loads(frame.data))["op"], sent["d"]
            if op == 1:
                self._beats += 1
                await ws.send_json({"op": 11})
            elif op in (2, 6) and data["token"] != self.token:
                await ws.close(code=4004)
            elif op == 2 and data["intents"] & PRIVILEGED_INTENTS:
                await ws.close(code=4014)
            elif op == 2:
                await self._identify(ws)
            elif op == 6 and data["session_id"] == self._session:
                await self._resume(ws, data["seq"])
            elif op == 6:
                await ws.send_json({"op": 9, "d": False})
        self.close_codes.append(ws.close_code)
        self._ws = None if self._ws is ws else self._ws
        return ws

    async def _identify(self, ws: web.WebSocketResponse) -> None:
        self._ws, self._log, self._session = ws, [], self.new_id()
        ready: Json = {"v": 10, "session_id": self._session, "resume_gateway_url": self.gateway}
        ready |= {"user": self.users[self.bot], "application": {"id": self.bot, "flags": 0}}
        ready["guilds"] = [{"id": guild, "unavailable": True} for guild in self.guilds]
        await self._dispatch("READY", ready)
        for guild in self.guilds.values():
            here = [c for c in self.channels.values() if c.get("guild_id") == guild["id"]]
            about: Json = {"channels": [c for c in here if c["type"] == 0], "unavailable": False}
            about["threads"] = [channel for channel in here if channel["type"] == 11]
            about["member_count"] = sum(guild["id"] == place for place, _ in self.members)
            about["members"] = [self._member(guild["id"], self.bot)]
            await self._dispatch("GUILD_CREATE", guild | about)
        self.identifies += 1

    async def _resume(self, ws: web.WebSocketResponse, seen: int) -> None:
        while seen < len(self._log):  # which may grow meanwhile
            await ws.send_str(self._log[seen])
            seen += 1
        self._ws = ws
        await self._dispatch("RESUMED", {})
        self.resumes += 1

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        call = Request(http.method, http.path.removeprefix("/api/v10"), http.query)
        self.requests.append(call)
        self._in_flight += 1
        try:
            if http.content_type == "multipart/form-data":
                form = await http.post()
                parts = [part for part in form.values() if isinstance(part, web.FileField)]
                call.files = [(part.filename, part.file.read()) for part in parts]
                raw = str(form["payload_json"])
            else:
                raw = await http.text() or "{}"
            call.body = json.loads(raw)
            reply = await self._answer(call, raw, http.headers.get("Authorization"))
            call.status = reply.status
            await reply.prepare(http)
            await reply.write_eof()
        finally:
            self._in_flight -= 1
        return reply

    async def _answer(self, call: Request, raw: str, authorization: str | None) -> web.Response:
        for fault in self._faults:
            if fault[0] == call.method and re.search(fault[1], call.path):
                self._faults.remove(fault)
                return _json(*fault[2])
        public = call.path.startswith(("/webhooks/", "/interactions/", "/cdn/"))
        if not public and authorization != f"Bot {self.token}":
            return _json(401, {"message": "401: Unauthorized", "code": 0})
        try:
            # A body of its own, so that `requests` keeps what was sent.
            result = await self._route(call, json.loads(raw))
        except Refused as refusal:
            status, code, text = refusal.args
            if code == 0:
                self.unknown_routes.append(f"{call.method} {call.path}")
            return _json(status, {"message": text, "code": code})
        if isinstance(result, web.Response):
            return result
        return web.Response(status=204) if result is None else _json(200, result)

    async def _route(self, call: Request, body: Any) -> Any:
        me = self.users[self.bot]
        match [call.method, *call.path[1:].split("/")]:
            case ["GET", "cdn", *_] if call.path in self._files:
                return web.Response(body=self._files[call.path])
            case ["GET", "users", "@me"]:
                return me
            case ["GET", "oauth2", "applications", "@me"] | ["GET", "applications", "@me"]:
                about = {
                    "id": self.bot,
                    "name": "Fake",
                    "description": "",
                    "icon": None,
                    "flags": 0,
                }
                owner = {"owner": me, "bot_public": True, "bot_require_code_grant": False}
                return about | owner | {"verify_key": ""}
            case ["GET", "gateway"] | ["GET", "gateway", "bot"]:
                return {"url": self.gateway, "shards": 1}
            case ["GET" | "PUT", "applications", self.bot, *scope, "commands"]:
                return self._commands(call.method, scope[1] if scope else "", body)
            case ["POST", "users", "@me", "channels"]:
                user = str(body["recipient_id"])
                return self.channels[_found(self.dms, user, 10013, "Unknown User")]
            case ["GET", "guilds", guild]:
                return _found(self.guilds, guild, 10004, "Unknown Guild")
            case ["GET", "guilds", guild, "members", user]:
                return self._member(guild, user)
            case ["POST", "interactions", _, token, "callback"]:
                return await self._callback(call, token, body)
            case ["POST", "webhooks", self.bot, token]:
                return await self._followup(call, self._webhook(token), body)
            case [_, "webhooks", self.bot, token, "messages", number]:
                given = self._webhook(token)
                own = {one["id"]: one for one in (given.message, *given.followups) if one}
                if number == "@original" and given.message:
                    number = given.message["id"]
                found = _found(own, number, 10008, "Unknown Message")
                return await self._on_message(call, found, body)
            case [_, "channels", channel, *rest]:
                place = _found(self.channels, channel, 10003, "Unknown Channel")
                return await self._in_channel(call, place, rest, body)
        raise Refused(404, 0, "404: Not Found")

    async def _in_channel(self, call: Request, place: Json, rest: list[str], body: Any) -> Any:
        match [call.method, *rest]:
            case ["GET"]:
                return place
            case ["POST", "typing"]:
                return None
            case ["GET", "messages"]:
                return [self._seen(message) for message in self.messages_in(place["id"])[::-1]]
            case ["POST", "messages"]:
                message = self._new_message(place["id"], self.bot, body, call.files)
                return await self._announce("CREATE", message)
            case ["POST", "messages", number, "threads"]:
                return await self._new_thread(place, self._public_message(number), body["name"])
            case [_, "messages", number]:
                message = self._public_message(number)
                if call.method == "PATCH" and message["author"]["id"] != self.bot:
                    raise Refused(403, 50005, "Cannot edit a message authored by another user")
                return await self._on_message(call, message, body)
        raise Refused(404, 0, "404: Not Found")

    def _public_message(self, number: str) -> Json:
        message = _found(self.messages, number, 10008, "Unknown Message")
        if message["flags"] & EPHEMERAL:  # there for the interaction's webhook only
            raise Refused(404, 10008, "Unknown Message")
        return message

    def _member(self, guild: str, user: str) -> Json:
        member = _found(self.members, (guild, user), 10007, "Unknown Member")
        return {**member, "user": self.users[user]}

    def _commands(self, method: str, guild: str, body: list[Json]) -> list[Json]:
        if method == "PUT":
            more = {"application_id": self.bot} | ({"guild_id": guild} if guild else {})
            blank = {"type": 1, "description": ""}
            self.commands[guild] = [blank | sent | more | {"id": self.new_id()} for sent in body]
        return self.commands.get(guild, [])

    async def _new_thread(self, parent: Json, message: Json, name: str) -> Json:
        new, guild = message["id"], parent["guild_id"]
        state = {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": _now()}
        thread: Json = {"id": new, "guild_id": guild, "parent_id": parent["id"], "name": name}
        thread |= {"type": 11, "owner_id": self.bot, "message_count": 0, "member_count": 1}
        thread["thread_metadata"] = state
        message["thread"] = self.channels[new] = thread
        await self._dispatch("THREAD_CREATE", thread)
        return thread

    def _new_message(
        self, channel: str, author: str, body: Json | None, files: Files = (), **more: Any
    ) -> Json:
        message: Json = {"id": self.new_id(), "channel_id": channel, "author": self.users[author]}
        message |= {"type": 0, "flags": 0, "timestamp": _now(), "edited_timestamp": None}
        message |= {"content": "", "embeds": [], "components": [], "attachments": []}
        message |= {"mentions": [], "mention_roles": [], "mention_everyone": False, "tts": False}
        message |= {"pinned": False, **more}
        if body is not None:
            self._fill(message, body, files)
            if body.get("message_reference"):
                message |= {"type": 19, "message_reference": body["message_reference"]}
        self.messages[message["id"]] = message
        return message

    def _fill(self, message: Json, body: Json, files: Files) -> None:
        new: Json = {key: body[key] or [] for key in ("embeds", "components") if key in body}
        new["content"] = body.get("content", message["content"]) or ""
        shown = body.get("flags", 0) & (COMPONENTS_V2 | 1 << 2 | 1 << 12)
        new["flags"] = message["flags"] & ~LOADING | shown
        # The ids of attachments to keep, among them numbers of uploads, which fit none.
        wanted = body.get("attachments", message["attachments"]) or ()
        kept = {str(old["id"]) for old in wanted}
        new["attachments"] = [old for old in message["attachments"] if old["id"] in kept]
        new["attachments"] += [self.upload(file) for file in files]
        whole: Json = message | new
        text = whole["content"] or whole["embeds"]
        if any(len(content) > UPLOAD_LIMIT for _, content in files):
            raise Refused(413, 40005, "Request entity too large")
        if len(whole["content"]) > CONTENT_LIMIT or (whole["flags"] & COMPONENTS_V2 and text):
            raise Refused(400, 50035, "Invalid Form Body")
        if not (text or whole["components"] or whole["attachments"]):
            raise Refused(400, 50006, "Cannot send an empty message")
        for number, part in enumerate(walk_components(whole["components"]), 1):
            part.setdefault("id", number)
        message |= new

    def _seen(self, message: Json, *, within: bool = False) -> Json:
        """The message as the bot gets it: without content where it has no right to that."""
        named = any(user["id"] == self.bot for user in (message["author"], *message["mentions"]))
        view = dict(message)
        if not named and self.channels[message["channel_id"]]["type"] != 1:
            view |= {"content": "", "embeds": [], "components": [], "attachments": []}
        if "message_reference" in message and not within:
            referred = self.messages.get(str(message["message_reference"]["message_id"]))
            view["referenced_message"] = referred and self._seen(referred, within=True)
        return view

    async def _announce(self, verb: str, message: Json) -> Json:
        """Tell the gateway, unless the message is ephemeral; the message as the bot gets it."""
        view = self._seen(message)
        event = {key: view[key] for key in ("id", "channel_id")} if verb == "DELETE" else {**view}
        guild, author = self.channels[view["channel_id"]].get("guild_id", ""), view["author"]["id"]
        if guild:
            event["guild_id"] = guild
        if (guild, author) in self.members and verb != "DELETE":
            event["member"] = self.members[guild, author]
        if not message["flags"] & EPHEMERAL:
            await self._dispatch(f"MESSAGE_{verb}", event)
        return view

    async def _on_message(self, call: Request, message: Json, body: Json) -> Json | None:
        if message["id"] not in self.messages:
            raise Refused(404, 10008, "Unknown Message")
        if call.method == "GET":
            return self._seen(message)
        if call.method == "DELETE":
            del self.messages[message["id"]]
            await self._announce("DELETE", message)
            return None
        self._fill(message, body, call.files)
        message["edited_timestamp"] = _now()
        return await self._announce("UPDATE", message)

    async def _callback(self, call: Request, token: str, body: Json) -> Json | None:
        given = _found(self.interactions, token, 10062, "Unknown interaction")
        if time.monotonic() - given.created_at > ACKNOWLEDGE_WITHIN:
            raise Refused(404, 10062, "Unknown interaction")
        if given.callbacks:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        kind, data, source = body["type"], body.get("data") or {}, given.payload.get("message", {})
        if kind not in CALLBACKS[given.payload["type"]] or (kind in (6, 7) and not source):
            raise Refused(400, 50035, "Invalid Form Body")
        if kind in (4, 5):
            flags = data.get("flags", 0) & EPHEMERAL | (LOADING if kind == 5 else 0)
            given.message = self._response(given, data if kind == 4 else None, call.files, flags)
        elif kind in (6, 7):
            given.message = self.messages[source["id"]]
        if kind == 7:
            self._fill(self.messages[source["id"]], data, call.files)
        given.modal = data if kind == 9 else None
        given.callbacks.append((kind, data))
        given.acknowledged_at = time.monotonic()
        about = {"id": given.payload["id"], "type": given.payload["type"]}
        resource: Json = {"type": kind}
        if given.message and kind != 6:
            view = await self._announce("UPDATE" if kind == 7 else "CREATE", given.message)
            about |= {"response_message_id": view["id"], "response_message_loading": kind == 5}
            about["response_message_ephemeral"] = bool(view["flags"] & EPHEMERAL)
            resource |= {} if kind == 5 else {"message": view}
        asked = call.query.get("with_response") in ("1", "true")
        return {"interaction": about, "resource": resource} if asked else None

    def _response(self, given: Interaction, body: Json | None, files: Files, flags: int) -> Json:
        sent = given.payload
        about = {"id": sent["id"], "type": sent["type"], "user": self.users[given.user]}
        about["authorizing_integration_owners"] = sent["authorizing_integration_owners"]
        more = {"interaction_metadata": about, "webhook_id": self.bot, "application_id": self.bot}
        kind, channel = 20 if sent["type"] == 2 else 0, sent["channel_id"]
        return self._new_message(channel, self.bot, body, files, flags=flags, type=kind, **more)

    def _webhook(self, token: str) -> Interaction:
        given = _found(self.interactions, token, 10015, "Unknown Webhook")
        if not given.callbacks:
            raise Refused(404, 10015, "Unknown Webhook")
        return given

    async def _followup(self, call: Request, given: Interaction, body: Json) -> Json | None:
        if given.message and given.message["flags"] & LOADING:  # the first one ends the defer
            self._fill(given.message, body, call.files)
            return await self._announce("UPDATE", given.message)
        flags = body.get("flags", 0) & EPHEMERAL
        given.followups.append(self._response(given, body, call.files, flags))
        return await self._announce("CREATE", given.followups[-1])


class FakeDiscord(DiscordServer):
    """A Discord with people, who can do what an app offers: no unsynced command, no dead button."""

    async def say(
        self,
        channel: str,
        user: str,
        content: str,
        *,
        mention_bot: bool = False,
        reply_to: str | None = None,
    ) -> str:
        """The id of a message that the user has sent; a reply pings, as is the default."""
        body: Json = {"content": f"<@{self.bot}> {content}" if mention_bot else content}
        named = re.findall(r"<@!?(\d+)>", body["content"])
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to, "channel_id": channel}
            # The answer to a command belongs to its webhook: the bot is not pinged.
            if "interaction_metadata" not in self.messages[reply_to]:
                named.append(self.messages[reply_to]["author"]["id"])
        mentions = [self.users[one] for one in dict.fromkeys(named)]
        message = self._new_message(channel, user, body, mentions=mentions)
        await self._announce("CREATE", message)
        return str(message["id"])

    async def slash(
        self, channel: str, user: str, name: str, options: Mapping[str, Any] | None = None
    ) -> Interaction:
        """Use a command like "article add"; a file is given as (name, content), a user as an id."""
        return await self._command(2, channel, user, name, options or {})

    async def autocomplete(
        self, channel: str, user: str, name: str, options: Mapping[str, Any], focused: str
    ) -> Interaction:
        """Type into the option `focused`; the choices are in the data of callback 8."""
        return await self._command(4, channel, user, name, options, focused)

    async def context_menu(self, channel: str, user: str, name: str, target: str) -> Interaction:
        """Use a command of the menu of a message or a user."""
        message = self.messages.get(target)
        command = self._offered(channel, user, name, 3 if message else 2)
        data: Json = {"id": command["id"], "name": name, "type": command["type"]}
        key, value = ("messages", message) if message else ("users", self.users.get(target))
        data |= {"target_id": target, "resolved": {key: {target: value}}}
        return await self._interact(2, channel, user, data)

    def _offered(self, channel: str, user: str, name: str, kind: int) -> Json:
        guild = self.channels[channel].get("guild_id", "")
        for command in self.commands.get(guild, []) + self.commands[""]:
            if (command["name"], command["type"]) == (name, kind):
                break
        else:
            raise LookupError(f"{name!r} is not among the synced commands")
        needed = int(command.get("default_member_permissions") or 0)
        here = (0 if guild else 1) in (command.get("contexts") or (0, 1))
        if not here or needed & ~self.permissions(user, channel):
            raise PermissionError(f"{name!r} is not shown to this user here")
        return command

    async def _command(
        self,
        kind: int,
        channel: str,
        user: str,
        name: str,
        given: Mapping[str, Any],
        focused: str = "",
    ) -> Interaction:
        root, *path = name.split()
        command = self._offered(channel, user, root, 1)
        chain = [command]
        for part in path:
            chain.append(next(one for one in chain[-1]["options"] if one["name"] == part))
        known = {spec["name"]: spec for spec in chain[-1].get("options", ())}
        missing = {one for one, spec in known.items() if spec.get("required")} - given.keys()
        if given.keys() - known.keys() or (missing and kind == 2):
            raise ValueError(f"/{name} takes {list(known)}, not {list(given)}")
        options: list[Json] = []
        resolved: Json = {"users": {}, "attachments": {}}
        for option, value in given.items():
            if (sort := known[option]["type"]) == 6:
                resolved["users"][value] = self.users[value]
            elif sort == 11:
                file = self.upload(value)
                resolved["attachments"][file["id"]], value = file, file["id"]
            options.append({"name": option, "type": sort, "value": value})
            if option == focused:
                options[-1]["focused"] = True
        for spec in chain[:0:-1]:
            options = [{"name": spec["name"], "type": spec["type"], "options": options}]
        kept = ("id", "name", "type", "guild_id")
        data: Json = {key: command[key] for key in kept if key in command}
        data |= {"options": options, "resolved": resolved}
        return await self._interact(kind, channel, user, data)

    async def click(self, message: str, user: str, custom_id: str, *values: str) -> Interaction:
        """Press a button, or choose values in a select."""
        await self._settle()
        shown = self.messages[message]
        parts = {part.get("custom_id"): part for part in walk_components(shown["components"])}
        if custom_id not in parts or parts[custom_id].get("disabled"):
            raise LookupError(f"nothing to press with the custom_id {custom_id!r}")
        if shown["flags"] & EPHEMERAL and shown["interaction_metadata"]["user"]["id"] != user:
            raise PermissionError("another user's ephemeral message")
        kind = parts[custom_id]["type"]
        data = {"custom_id": custom_id, "component_type": kind, "id": parts[custom_id]["id"]}
        data |= {} if kind == 2 else {"values": [*values]}
        return await self._interact(3, shown["channel_id"], user, data, shown)

    async def submit_modal(self, shown: Interaction, values: Mapping[str, Any]) -> Interaction:
        """Send a modal with values by custom_id: a text, a list of choices, a list of files."""
        if shown.modal is None:
            raise LookupError("no modal was shown")
        await self._settle()
        uploads: Json = {}

        def filled(part: Json) -> Json:
            inner = {"type": part["type"]}
            if "components" in part:
                return inner | {"components": [filled(one) for one in part["components"]]}
            if "component" in part:
                return inner | {"component": filled(part["component"])}
            if "custom_id" not in part:
                return inner
            value = values.get(part["custom_id"], part.get("value"))
            if not value and part.get("required", True):
                raise ValueError(f"{part['custom_id']!r} is required")
            if part["type"] == 19:
                files = [self.upload(file) for file in value or ()]
                uploads.update({file["id"]: file for file in files})
                value = [file["id"] for file in files]
            one: Json = {"value": value or ""} if part["type"] == 4 else {"values": value or []}
            return inner | {"custom_id": part["custom_id"]} | one

        data = {"custom_id": shown.modal["custom_id"], "resolved": {"attachments": uploads}}
        data["components"] = [filled(part) for part in shown.modal["components"]]
        source, channel = shown.payload.get("message"), shown.payload["channel_id"]
        return await self._interact(5, channel, shown.user, data, source)

    async def _settle(self) -> None:
        """Wait until the client has surely stored the views and modals that it has sent."""
        await self.until(lambda: True)
        beats, ws = self._beats, self._ws
        if ws is not None:
            await ws.send_json({"op": 1, "d": None})  # "beat now", which a busy client does late
            await self.until(lambda: self._beats > beats or self._ws is not ws)
        await asyncio.sleep(SETTLE)

    async def _interact(
        self, kind: int, channel: str, user: str, data: Json, message: Json | None = None
    ) -> Interaction:
        place, new = self.channels[channel], self.new_id()
        guild, token = place.get("guild_id"), f"token{new}"
        sent: Json = {"id": new, "application_id": self.bot, "type": kind, "token": token}
        sent |= {"version": 1, "channel_id": channel, "channel": place, "data": data}
        sent |= {"locale": "en-US", "entitlements": [], "attachment_size_limit": UPLOAD_LIMIT}
        sent["app_permissions"] = str(self.permissions(self.bot, channel))
        sent |= {"authorizing_integration_owners": {"0": guild or "0"}, "context": 1}
        if guild:
            may = {"permissions": str(self.permissions(user, channel))}
            sent |= {"context": 0, "guild_id": guild, "guild_locale": "en-US"}
            sent["guild"] = {"id": guild, "locale": "en-US", "features": []}
            sent["member"] = self._member(guild, user) | may
        else:
            sent["user"] = self.users[user]
        if message is not None:
            sent["message"] = message
        # A copy, so that the record stays what was sent when a message is edited later.
        given = self.interactions[token] = Interaction(json.loads(json.dumps(sent)), user)
        await self._dispatch("INTERACTION_CREATE", given.payload)
        return given
