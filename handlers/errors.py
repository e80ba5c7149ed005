import logging
import secrets

from data.database import explain_storage_error, is_storage_error
from data.errors import UserError

log = logging.getLogger(__name__)


def message_for(error: Exception) -> str:
    """Return what a person is told about an error; the only place that decides it.

    A UserError is shown as written, and a full or read-only disk in words. Everything else is a
    bug: it is logged with its traceback under an incident id, and the person is given that id.
    """
    if isinstance(error, UserError):
        return str(error)
    if is_storage_error(error):
        log.info("storage error", exc_info=error)
        return explain_storage_error(error)
    incident = secrets.token_hex(4)
    log.error("incident %s", incident, exc_info=error)
    return f"Something went wrong inside Pullquote. Its log has this as incident {incident}."
