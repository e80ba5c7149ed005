import aiohttp

CONNECTION_ERRORS = (aiohttp.ClientError, TimeoutError, ConnectionError)
"""What talking to another machine raises where that machine, or the way to it, is not there."""


def is_connection_error(error: BaseException) -> bool:
    """Return whether the network failed, as against the disk: both may be an OSError."""
    return isinstance(error, CONNECTION_ERRORS)
