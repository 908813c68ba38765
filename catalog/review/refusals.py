"""What the moves of a review refuse. Each is one line; nothing was written when one is raised."""

from catalog.errors import ReviewRefused


class LeaseLost(ReviewRefused):
    """The claim ran out or belongs to somebody else; nothing was written."""


class TooFast(ReviewRefused):
    """The picture was not on screen long enough to have been seen; nothing was written."""


class PictureMissing(ReviewRefused):
    """The picture's file is not in the blob store, so nobody can have seen it."""


class AlreadyChanged(ReviewRefused):
    """The decision to undo has been superseded by another one."""


class NothingToUndo(ReviewRefused):
    """The reviewer has no decision that could be undone."""
