"""The page of pictures shows every kind of them, and names every option; that its commands run is tested with all pages."""

import re
from pathlib import Path

from deepcams.cli.plot import plot

PAGE = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text()


def test_every_kind_has_an_example():
    shown = set(re.findall(r"^deepcams plot (\w+) ", PAGE, re.MULTILINE))
    assert shown == set(plot.list_commands(None))


def test_every_option_is_on_the_page():
    for name in plot.list_commands(None):
        assert f"## deepcams plot {name} " in PAGE
        for parameter in plot.get_command(None, name).params:
            if parameter.param_type_name == "option":
                assert re.search(rf"{parameter.opts[0]}\b", PAGE), parameter.opts
