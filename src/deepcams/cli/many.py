"""Options that take several values in a row: ``--stations a.csv b.csv`` is ``--stations a.csv --stations b.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click


class ManyValues(click.Command):
    """A command with such options.

    Attributes:
        many: the options, each with the suffixes of files that are no values of it although they follow one: they are
            the command's own arguments, as in ``validate --stations a.csv hourly.zarr``.
    """

    many: Mapping[str, tuple[str, ...]] = {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, and let click do the rest."""
        return super().parse_args(ctx, list(_repeated(args, self.many)))


def _repeated(arguments: Sequence[str], many: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    option, first = "", False
    for number, argument in enumerate(arguments):
        if argument == "--":
            yield from arguments[number:]
            return
        if argument.startswith("-") and argument != "-":
            name = argument.split("=")[0]
            option, first = (name, name == argument) if name in many else ("", False)
        elif option and not first and Path(argument.rstrip("/")).suffix.lower() not in many[option]:
            yield option
        elif not first:
            option = ""
        else:
            first = False
        yield argument
