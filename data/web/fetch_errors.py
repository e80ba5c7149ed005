"""What is said when a page cannot be had: whole sentences that give nothing inside away."""

import socket
import ssl

import aiohttp

from data.errors import UserError

_MAX_SHOWN = 60  # characters of a host or address in a sentence
_GONE = 410
_LATER = (408, 425, 429)


class FetchError(UserError):
    """A page or feed that could not be had; the text says why.

    `status` is the HTTP status where there was one; `retry_after` the seconds, from 0 to a day,
    after which the server asks to be asked again. `lasting` tells that it is not to be had by the
    rules of its site, of the operator, or ours, so that it makes no sense to ask again.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        lasting: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after
        self.lasting = lasting or status == _GONE

    @property
    def gone(self) -> bool:
        """Return whether the server says that the page was taken away for good."""
        return self.status == _GONE

    @property
    def passing(self) -> bool:
        """Return whether it is a trouble that goes by: of the server, or on the way to it."""
        status = self.status
        if self.lasting or (isinstance(self, NowhereError) and not self.for_now):
            return False
        return status is None or status >= 500 or status in _LATER


class UnreachableError(FetchError):
    """A host that cannot or may not be asked for anything."""


class NowhereError(UnreachableError):
    """A host that is not to be found on the public web; `for_now` if nobody could be asked."""

    def __init__(self, text: str, *, host: str, for_now: bool = False) -> None:
        super().__init__(text)
        self.host = host
        self.for_now = for_now


class RedirectError(FetchError):
    """A chain of redirects that leads nowhere."""


def shown(text: str) -> str:
    """Return a host or an address as it stands in a sentence: printable, and not too long."""
    text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def not_on_the_web(host: str, *, for_now: bool = False) -> NowhereError:
    """Return the error for a host that does not exist, and for one that lies inside a network.

    It is one and the same, so that nobody learns from it which names and addresses there are in
    the operator's network.
    """
    words = f"{shown(host)} is not to be found on the public web, and only pages there are read."
    return NowhereError(words, host=host, for_now=for_now)


def too_slow(host: str, seconds: float) -> FetchError:
    """Return the error for an answer that did not come, or did not end, in time."""
    return FetchError(f"{shown(host)} took longer than {seconds:g} seconds, so I gave up.")


def too_large(host: str, limit: int) -> FetchError:
    """Return the error for an answer of more than `limit` bytes, packed or unpacked."""
    return FetchError(
        f"What {shown(host)} sent is larger than {limit / 1_000_000:g} MB, which is too much."
    )


_STATUS_SENTENCES = {
    401: "{} asks for a login before it shows this page.",
    402: "{} asks for a payment before it shows this page.",
    403: "{} does not show this page to programs, or not to everybody (403).",
    404: "{} has no page at this address (404).",
    407: "{} asks for a login before it shows this page.",
    410: "{} says that this page was taken away for good (410).",
    429: "{} was asked too often and wants to be left alone for a while. Try again later.",
    451: "{} withholds this page for legal reasons (451).",
    503: "{} is overloaded or closed for maintenance (503). Try again later.",
}


def bad_status(host: str, status: int, retry_after: float | None) -> FetchError:
    """Return the error for an answer whose HTTP status says that it is not the page."""
    sentence = _STATUS_SENTENCES.get(status)
    if sentence is None and 500 <= status < 600:
        sentence = "{} has trouble of its own ({status}). Try again later."
    sentence = sentence or "{} answered with the status {status} instead of a page."
    return FetchError(
        sentence.format(shown(host), status=status), status=status, retry_after=retry_after
    )


FAILURES = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError, UnicodeError)
"""What aiohttp raises where the other side, or the way to it, does not do its part."""


def failure(error: Exception, host: str) -> FetchError:
    """Return the error in words for one of `FAILURES`."""
    name = shown(host)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return not_on_the_web(host, for_now=error.os_error.errno == socket.EAI_AGAIN)
    if isinstance(error, UnicodeError):
        return not_on_the_web(host)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.CertificateError):
        return UnreachableError(f"The certificate of {name} cannot be trusted.")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return UnreachableError(f"No secure connection to {name} could be made.")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UnreachableError(f"{name} could not be reached.")
    if isinstance(error, aiohttp.ClientPayloadError):
        return FetchError(f"{name} broke off in the middle of its answer.")
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return FetchError(f"{name} closed the connection without an answer.")
    return FetchError(f"{name} sent an answer that is no proper one, so it cannot be read.")
