"""Answers to many images that a person has chosen by their places on the map: the job that stores some of them.

An image with an answer keeps it. If it was drawn at random, the person's choice counts as a choice of the model: the
choice would have been the same had other images been drawn. So its answer is stored once more, as one that the model
may learn. When the choice is taken back, the answer before stands again, drawn as it was.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from backend.store.sources import KEPT
from backend.store.table import DRAWN, SELECTED, Answer, Change, insert, standing_at


class Placed(NamedTuple):
    """What became of answers: how many were stored, and how many images have kept the answer that they had."""

    stored: int
    kept: int


def store_where_open(
    connection: sqlite3.Connection, answers: Iterable[Answer]
) -> tuple[Placed, tuple[list[Change], None, list[str]]]:
    """Store those of these answers whose image has none; the same answers again are stored once.

    Args:
        connection: within a transaction.
        answers: of one group.

    Returns:
        What became of them, and the effect that `table.store_all` has.
    """
    stored = kept = 0
    changes: list[Change] = []
    for answer in answers:
        if connection.execute("SELECT copy_of FROM answers WHERE id = ?", (answer.id,)).fetchone():
            stored += 1
            continue
        before = standing_at(connection, answer.path)
        if before is None:
            insert(connection, answer)
            changes.append(Change(answer.path, answer.label))
            stored += 1
            continue
        kept += 1
        if before.audit == DRAWN:
            again = replace(before, id=answer.id + KEPT, client=answer.client, group=answer.group, audit=SELECTED)
            connection.execute("UPDATE answers SET state = 'superseded' WHERE id = ?", (before.id,))
            insert(connection, again)
            changes.append(Change(answer.path, before.label, SELECTED))
    return Placed(stored, kept), (changes, None, [])
