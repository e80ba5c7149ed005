"""Domains that the operator took out: nothing of them is fetched or stored any more."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from data.addresses import is_ip, plain_host
from data.answers import open_memory
from data.database import Database, write
from data.errors import UserError
from data.revisions import now
from data.urls import lies_in

# Labels of letters, digits and hyphens, at least two of them. Some scripts need a joiner, and a few
# such names have no form in ASCII that everybody agrees on.
_LABEL = "[\\w](?:[\\w\\u200c\\u200d-]{0,61}\\w)?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?=[^\d.]){_LABEL}")


class DomainStore:
    """The domains that were taken out of every collection of a home."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def refuse(self, domain: str) -> int:
        """Take a domain out, with all its subdomains; return how many feeds were followed there.

        They are followed no longer, by any collection, and of what waits in others nothing stays
        that leads there.
        """
        with write(self._db):
            self._db.execute("INSERT OR IGNORE INTO refused_domains VALUES (?, ?)", [domain, now()])
            feeds = list(self._db.query("SELECT id, url FROM feeds"))
            gone = [feed["id"] for feed in feeds if lies_in(feed["url"], domain)]
            for feed_id in gone:
                self._db.execute("DELETE FROM feeds WHERE id = ?", [feed_id])
            for row in list(self._db.query("SELECT rowid, item FROM feed_waiting")):
                if lies_in(json.loads(row["item"]).get("url"), domain):
                    self._db.execute("DELETE FROM feed_waiting WHERE rowid = ?", [row["rowid"]])
            return len(gone)

    def permit(self, domain: str) -> bool:
        """Let a domain in again; return whether it had been taken out."""
        with write(self._db):
            done = self._db.execute("DELETE FROM refused_domains WHERE domain = ?", [domain])
            return bool(done.rowcount)

    def all(self) -> list[str]:
        """Return the domains that were taken out, sorted."""
        rows = self._db.execute("SELECT domain FROM refused_domains ORDER BY domain")
        return [row[0] for row in rows.fetchall()]


class RefusedDomains:
    """Tells which domains nothing may come from: the settings' and those that were taken out.

    It is read anew each time, since another process may take one out.
    """

    def __init__(self, home: Path, always: Sequence[str] = ()) -> None:
        self._home = home
        self._always = tuple(always)

    def __call__(self) -> list[str]:
        """Return the domains.

        Raises:
            StorageError: if the home cannot be used.
        """
        memory = open_memory(self._home)
        try:
            return [*self._always, *DomainStore(memory).all()]
        finally:
            memory.close()


def refusal(url: str | None, domains: Sequence[str]) -> str | None:
    """Return a part of a sentence that says why nothing may come from an address, or None."""
    for domain in domains:
        if lies_in(url, domain):
            return f"the operator took {domain} out, so nothing from there is stored"
    return None


def domain_of(text: str) -> str:
    """Return the domain that somebody names, in lower case: a name, or an address of it.

    Raises:
        UserError: if it is none.
    """
    wanted = text.strip().lower()
    try:
        host = urlsplit(wanted if "//" in wanted else f"//{wanted}").hostname or ""
    except ValueError:
        host = ""
    host = _without_www(plain_host(host.removeprefix("*.")))
    if _DOMAIN.fullmatch(host) is None or is_ip(host):
        raise UserError(f"{text!r} is no domain. Write it like example.com.")
    return host


def _without_www(host: str) -> str:
    """Return a host without `www.`, but where a registry stands behind it, as in `www.gov.uk`."""
    from tld import get_fld

    whole = get_fld(f"https://{host}", fail_silently=True)
    return host if whole == host else host.removeprefix("www.")
