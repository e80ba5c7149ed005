"""How an item of a feed becomes a story: from the feed where that has it whole, else its page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from data.addresses import plain_host
from data.articles import Saved
from data.errors import StoryRefusedError
from data.followed import FollowedFeed, Outcome
from data.models import Draft
from data.pages import FeedItem
from data.rechecks import Recheck
from data.web.fetch import FetchError
from data.web.fetch_errors import NowhereError
from data.webstories import draft_from_item, draft_from_page
from handlers.entries import REMOVED_HERE, is_own
from handlers.patience import PatientWeb
from handlers.polls import Taken
from handlers.rechecking import GONE, Look, look, withdraw
from handlers.runner import Runner
from handlers.services import Services
from handlers.web import MAX_STORY

_LOOKED = {
    Look.SAME: Outcome.SAME,
    Look.CHANGED: Outcome.CHANGED,
    Look.WITHDRAWN: Outcome.REFUSED,
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an item's story: its id, its page, and whether it is withdrawn."""

    article_id: str | None
    page: Recheck | None
    withdrawn: bool


class Taker:
    """Takes in the items of one feed; `source` is what the feed calls itself."""

    def __init__(
        self, *, web: PatientWeb, runner: Runner, feed: FollowedFeed, source: str | None
    ) -> None:
        self._web = web
        self._runner = runner
        self._feed = feed
        self._source = source

    async def take(self, item: FeedItem, article_id: str | None) -> Taken:
        """Return what became of an item; `article_id` is the story that it was so far.

        Of a story whose text was read from its page, an item that changed is a reason to look at
        that page, and never a text of its own: the two differ a little everywhere.

        Raises:
            UserError: if it cannot be had, or is no story.
            LaterError: if its host is not asked now.
            StoppedError: if the feed is not wanted any more.
        """
        if item.refused is not None:
            raise StoryRefusedError(item.refused)
        known = await self._runner.stories(
            self._feed.collection, lambda s: _known(s, article_id, item.url)
        )
        page = known.page
        if page is not None and page.was_read and (item.url is None or page.is_at(item.url)):
            looked = await look(self._web, self._runner, self._feed.collection, page)
            why = GONE if looked.look is Look.WITHDRAWN else None
            return Taken(item.title, item.url, _LOOKED[looked.look], why, looked.article_id)
        read = page is not None and page.was_read
        feeds = known.article_id is not None and not read  # the text is the feed's already
        try:
            if read or item.is_summary or not (feeds or is_own(item, self._feed.url)):
                saved = await self._from_page(item, known)
            else:
                saved = await self._from_feed(item, known)
        except NowhereError as error:
            # A link that leads nowhere is nobody's page, so that nobody else can say what it was.
            if read or item.is_summary or error.host != _host(item.url):
                raise
            saved = await self._from_feed(item, known)
        outcome = Outcome(saved.status.value)
        return Taken(item.title, item.url, outcome, None, saved.revision.article_id)

    async def _from_page(self, item: FeedItem, known: _Known) -> Saved:
        url, article_id = item.url, known.article_id
        if url is None:
            raise StoryRefusedError("It is a summary without a link to the whole story.")
        try:
            read = await self._web.page(url)
        except FetchError as error:
            if error.gone and article_id is not None:
                await self._gone(article_id, url, known.page)
            raise
        draft = replace(draft_from_page(read.extracted), article_id=article_id)
        return await self._store(draft, lambda s, known: s.rechecks.record(known, read.page))

    async def _gone(self, article_id: str, url: str, page: Recheck | None) -> None:
        """Withdraw a story whose new link is gone, unless its own page still stands."""
        if page is not None and not page.is_at(url):
            await look(self._web, self._runner, self._feed.collection, page)
            return

        def take_out(services: Services) -> None:
            services.rechecks.stands_at(article_id, url)
            withdraw(services, article_id)

        await self._runner.stories(self._feed.collection, take_out)

    async def _from_feed(self, item: FeedItem, known: _Known) -> Saved:
        """Store the text in a feed; a story whose page was gone comes back only with its page."""
        if known.page is not None and known.withdrawn:
            await self._web.visit(known.page.url)
        draft = draft_from_item(item, feed_url=self._feed.url, source=self._source)
        url = draft.attribution.url

        def along(services: Services, article_id: str) -> None:
            if url is not None:
                services.rechecks.stands_at(article_id, url)
            if known.withdrawn:
                services.rechecks.checked(article_id, problem=None)

        return await self._store(replace(draft, article_id=known.article_id), along)

    async def _store(self, draft: Draft, along: Callable[[Services, str], None]) -> Saved:
        if len(draft.text) > MAX_STORY:
            raise StoryRefusedError(f"It is longer than {MAX_STORY:,} characters.")

        def add(services: Services) -> Saved:
            return services.indexer.add(draft, along=lambda r: along(services, r.article_id))

        return await self._runner.stories(self._feed.collection, add)


def _host(url: str | None) -> str:
    return plain_host(urlsplit(url).hostname or "") if url else ""


def _known(services: Services, article_id: str | None, url: str | None) -> _Known:
    """Return what is known of the story that an item was so far, or that its link leads to.

    Raises:
        StoryRefusedError: if somebody removed it, who does not want it back, or the link leads to
            another story by now.
    """
    there = services.rechecks.stories_at(url) if url is not None else []
    if article_id is not None:
        if services.articles.version_count(article_id) == 0:
            if not there:
                raise StoryRefusedError(REMOVED_HERE)
            article_id = there[0]  # somebody added it again
        if there and article_id not in there:
            raise StoryRefusedError("Its link leads to another story by now, which is here too.")
    page = None
    if article_id is not None:
        page = services.rechecks.get(article_id)
    elif url is not None:
        page = services.rechecks.of_url(url)
    withdrawn = page is not None and services.standing.withdrawn_at(page.article_id) is not None
    return _Known(article_id, page, withdrawn)
