"""The other tables of a dump, beside the files that a format's own reader has read."""

from __future__ import annotations

from collections.abc import Collection

from catalog.phrases import say
from catalog.readers import table as general
from catalog.readers.draft import DraftCatalogue
from catalog.readers.table_set import TableSet


def with_rest(catalogue: DraftCatalogue, tables: TableSet, used: Collection[str]) -> DraftCatalogue:
    """Add the products of the remaining tables, read as any dump's; a key the format's own files have counts there.

    Args:
        catalogue: What the format's reader made of its files.
        tables: All tables of the dump.
        used: Paths of the files that are read.
    """
    rest = general.read(tables.without(used))
    known = {product.sku for product in catalogue.products}
    more = [product for product in rest.products if product.sku not in known]
    if len(more) < len(rest.products):
        again = len(rest.products) - len(more)
        catalogue.evidence.append(
            say(
                "{again} products of other tables have a key of the {reader} files",
                again=again,
                reader=catalogue.reader,
            )
        )
    others = [issue for issue in rest.issues if issue.source not in used]
    if not more:
        # What is beside a feed is seldom products; only what could not be read at all is worth a word.
        catalogue.issues += [issue for issue in others if issue.reason == "FILE_UNREADABLE"]
        unread = sorted(table.file.path for table in tables if table.file.path not in used)
        if unread:
            catalogue.evidence.append(
                say("not used: {count} other tables, such as {unread}", count=len(unread), unread=", ".join(unread[:3]))
            )
    else:
        catalogue.products += more
        catalogue.evidence += rest.evidence
        catalogue.issues += others
        catalogue.rows += rest.rows
        catalogue.documents |= rest.documents
    return catalogue
