class UserError(Exception):
    """A problem that the person in front of the program can understand and act on.

    Its text is shown as it stands, so it is one or two whole sentences without internals.
    Everything that is not a UserError is a bug.
    """


class StoryRefusedError(UserError):
    """A story that cannot be taken in; the text says why."""


class NotFoundError(UserError):
    """Something was named that is not in this collection."""


class StorageError(UserError):
    """The home folder or a database cannot be used; the text says what to do."""


class UnavailableError(StoryRefusedError):
    """Something of ours is not to be had now; what was asked for may well work later."""
