"""The command line as such: help, versions, exit statuses, and what it takes to start."""

import subprocess
import sys
import time

import pytest

from deepcams import __version__

HEAVY = ("numpy", "xarray", "torch", "zarr", "pandas", "netCDF4", "cv2", "scipy", "matplotlib", "rich")


@pytest.mark.parametrize("arguments", [[], ["downscale"], ["inspect"], ["plot"], ["plot", "map"], ["plot", "compare"]])
def test_help_is_quick_and_loads_no_library(arguments):
    program = (
        "import sys\nfrom deepcams.cli import main\n"
        f"try:\n    main([*{arguments!r}, '--help'])\nexcept SystemExit as ended:\n    status = ended.code\n"
        f"print(status, sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 3  # a tenth of it on a quiet machine
    assert "Usage: deepcams" in done.stdout
    assert done.stderr == "0 []\n"


def test_the_package_alone_loads_no_library():
    program = f"import sys, deepcams; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_the_commands(run, option):
    result = run(option)
    assert result.status == 0
    assert all(name in result.out for name in ("downscale", "inspect", "plot"))


def test_version(run):
    assert run("--version").out == f"deepcams, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["shrink"], ["--fast"], ["downscale"], ["inspect"], ["downscale", "a.nc", "b.nc", "--nonsense"],
                  ["downscale", "a.nc", "b.nc", "--keepbits", "24"], ["downscale", "a.nc", "b.nc", "--workers", "0"],
                  ["downscale", "a.nc", "b.nc", "--factor", "three"]]
)  # fmt: skip
def test_a_wrong_call_has_the_status_2(run, arguments):
    result = run(*arguments)
    assert result.status == 2
    assert "Error:" in result.err


def test_as_a_module_and_a_traceback_only_with_debug(tmp_path):
    call = [sys.executable, "-m", "deepcams", "downscale", str(tmp_path / "none.nc"), str(tmp_path / "out.nc")]
    plain = subprocess.run(call, capture_output=True, text=True, check=False)
    assert plain.returncode == 2
    assert plain.stderr == f"deepcams: {tmp_path}/none.nc: no such file or folder\n"
    for debugging in ([*call, "--debug"], [*call[:3], "--debug", *call[3:]]):
        debugged = subprocess.run(debugging, capture_output=True, text=True, check=False)
        assert debugged.returncode != 0
        assert "Traceback" in debugged.stderr
        assert "none.nc: no such file" in debugged.stderr
