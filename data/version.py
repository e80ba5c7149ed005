"""What this is called where it introduces itself."""

VERSION = "0.3.0"


def user_agent(source_url: str | None) -> str:
    """Return how Pullquote names itself to web servers; robots.txt knows it as `Pullquote`."""
    about = f"; +{source_url}" if source_url and source_url.isascii() else ""
    return f"Pullquote/{VERSION} (quotes news stories with attribution{about})"
