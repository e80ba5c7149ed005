from data.extraction.extract import extract
from data.extraction.feed_parsing import parse_feed
from data.extraction.reading import Reading
from data.pages import Extracted, Feed, Page


class DirectReading(Reading):
    """Reads in this process: for tests of what is done with pages and feeds, which are sound."""

    def extract(self, page: Page) -> Extracted:
        return extract(page)

    def parse_feed(self, page: Page) -> Feed:
        return parse_feed(page)
