"""Errors of the catalogue.

CatalogError
"""


class CatalogError(Exception):
    """Bad data or a refused action; its text is one line: what came, what is allowed, what to type next."""
