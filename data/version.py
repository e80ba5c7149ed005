"""What this is called where it introduces itself."""

VERSION = "0.3.0"


def user_agent(source_url: str | None) -> str:
    """Return how Pullquote names itself to web servers; robots.txt knows it as `Pullquote`."""
    url = source_url or ""
    about = f"; +{url}" if url and url.isascii() and url.isprintable() else ""
    return f"Pullquote/{VERSION} (quotes news stories with attribution{about})"
