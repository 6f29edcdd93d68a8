"""A statement as one page: HTML without scripts or outside files, every value escaped, printable."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from musai.royalties.statement import FORMULA, Statement, rows

SHOWN = 40
"""Owners on the page; the flat file has them all."""


def page(statement: Statement, envelope_sha256: str = "", key_id: str = "") -> bytes:
    """The page's bytes; with the hash of the signed statement and its key where there is one."""
    environment = Environment(
        loader=PackageLoader("musai.royalties"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    owners = statement.owners
    lines = rows(statement)[:-1]
    pools = ("share", "training", "output", "retained")
    table = [
        {
            "owner": owner,
            "works": statement.works().get(owner, 0),
            "cells": {row["pool"]: row["amount"] for row in lines if row["owner"] == owner},
            "total": statement.money(statement.split.total(owner)),
            "part": 100 * statement.split.total(owner) / statement.revenue,
        }
        for owner in owners[:SHOWN]
    ]
    rest = sum(statement.split.total(owner) for owner in owners[SHOWN:])
    return (
        environment.get_template("statement.html.j2")
        .render(
            statement=statement,
            pools=pools,
            table=table,
            more=len(owners) - len(table),
            rest=statement.money(rest),
            revenue=statement.money(statement.revenue),
            formula=FORMULA,
            envelope=envelope_sha256,
            key_id=key_id,
        )
        .encode()
    )
