"""``deepcams doctor``: what the installation and this computer can do, and what stands in the way."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: deepcams doctor --online")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path(), help="Where results would go.  [default: here]"
)
@click.option("--online", is_flag=True, help="Also ask the services whether they answer, 10 s each at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(folder: Path, online: bool, as_json: bool) -> int:
    """Look at the installation, this computer and the access to data.

    One line for each thing: ok, a warning, or a problem, with what to do. The exit status is 1 if a problem stands in the way
    of deepcams downscale. Keys are looked for and never shown.
    """
    from deepcams.doctor import OK, PROBLEM, examine

    findings = []
    for one in examine(folder, online=online):
        findings.append(one)
        if not as_json:
            click.secho(f"{one.state:8}", nl=False, fg={OK: "green", PROBLEM: "red"}.get(one.state, "yellow"))
            click.echo(f"{one.what:22}{one.words}")
    if as_json:
        click.echo(json.dumps([one.to_dict() for one in findings], indent=1))
    return 1 if any(one.state == PROBLEM for one in findings) else 0
