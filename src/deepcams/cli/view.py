"""``deepcams view``: the hourly maps of a store in a browser."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.viewer.site import Site

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command(epilog="Example: deepcams view hourly.zarr --compare cams.nc")
@click.argument("store")
@click.option("--compare", multiple=True, metavar="FILE", help="CAMS files (may be given again, or a pattern).")
@click.option(
    "--stations",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Stations: what deepcams validate wrote (its folder, or stations.csv or pairs.parquet in it).",
)
@click.option("--variable", help="The variable in the files.  [default: pm2p5, or the only one]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8710, or a free one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--export", "target", type=click.Path(path_type=Path), metavar="DIR", help="Write the page with its data, and end."
)
@click.option("--quiet", is_flag=True, help="Print errors only.")
def view(store: str, compare: tuple[str, ...], stations: Path | None, variable: str | None, port: int | None, host: str,
         no_browser: bool, target: Path | None, quiet: bool) -> None:  # fmt: skip
    """Look at hourly results in a browser.

    STORE is an output of deepcams (.zarr or .nc), a folder or pattern of such files, or a URL. The page works without
    network. Ctrl-C ends it.
    """
    from deepcams.viewer.export import check_target

    if target is not None:
        _refuse_stray(port, host, no_browser)
        check_target(target)
    site = _site(store, compare, stations, variable)
    if target is not None:
        _export(site, target, quiet=quiet)
    else:
        _serve(site, host, port, browser=not no_browser, quiet=quiet)


def _refuse_stray(port: int | None, host: str, no_browser: bool) -> None:
    """Refuse options that would do nothing."""
    if port is not None or no_browser or host != _LOOPBACK[0]:
        raise InputError("--port, --host and --no-browser are for looking, not for --export: leave them out")


def _site(store: str, compare: tuple[str, ...], stations: Path | None, variable: str | None) -> Site:
    """What the options describe."""
    from deepcams.viewer.site import Site
    from deepcams.viewer.stations import open_stations
    from deepcams.viewer.stores import open_cams, open_shown

    shown = open_shown(store, variable=variable)
    cams = open_cams(compare, shown.variable) if compare else None
    return Site(shown, cams, open_stations(stations) if stations else None)


def _export(site: Site, target: Path, *, quiet: bool) -> None:
    from deepcams.cli.progress import progress
    from deepcams.viewer.export import count_files, export

    with progress(count_files(site), "files", quiet=quiet) as advance:
        export(site, target, advance)
    if not quiet:
        click.echo(f"{target}: page and data, for a web server that answers Range requests")


def _serve(site: Site, host: str, port: int | None, *, browser: bool, quiet: bool) -> None:
    """Serve until Ctrl-C."""
    from deepcams.viewer.server import start

    with start(site.find, host, port) as server:
        if not quiet:
            click.echo(f"{server.url}\n{site.store.label}; Ctrl-C ends it")
        if host not in _LOOPBACK:
            click.echo(f"note      whoever reaches {host} port {server.server_port} can read these data", err=True)
        if browser:
            # Some wait until they are closed; it may ask before we answer, since the server listens already.
            threading.Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            if not quiet:
                click.echo("ended")
