"""Files of other forms: GRIB messages, and files with damage."""

from pathlib import Path

import h5py
import numpy as np
import pytest


@pytest.fixture
def grib(tmp_path):
    """Write GRIB messages with eccodes: one for every time of a field in ug m-3."""
    eccodes = pytest.importorskip("eccodes")

    def write(path, *fields, edition=1, param=210073, mode="wb"):
        with Path(path).open(mode) as stream:
            for field in fields:
                for number in range(field.sizes["time"]):
                    _write_message(eccodes, stream, field.isel(time=number), edition, param)
        return path

    return write


def _write_message(eccodes, stream, field, edition, param):
    latitude, longitude = field.latitude.values, field.longitude.values
    message = eccodes.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
    moment = field.time.values.astype("datetime64[m]").item()
    keys = {
        "centre": "ecmf",
        "Ni": longitude.size,
        "Nj": latitude.size,
        "latitudeOfFirstGridPointInDegrees": latitude[0],
        "latitudeOfLastGridPointInDegrees": latitude[-1],
        "longitudeOfFirstGridPointInDegrees": longitude[0] % 360,
        "longitudeOfLastGridPointInDegrees": longitude[-1] % 360,
        "iDirectionIncrementInDegrees": 0.75,
        "jDirectionIncrementInDegrees": 0.75,
        "jScansPositively": int(latitude[-1] > latitude[0]),
        "dataDate": int(f"{moment:%Y%m%d}"),
        "dataTime": int(f"{moment:%H%M}"),
        "bitsPerValue": 24,
        "paramId": param,
    }
    for key, value in keys.items():
        eccodes.codes_set(message, key, value)
    eccodes.codes_set_values(message, field.values.astype(np.float64).ravel() * 1e-9)
    eccodes.codes_write(message, stream)
    eccodes.codes_release(message)


@pytest.fixture
def damage_chunk():
    """Overwrite the stored bytes of one chunk of an HDF5 variable."""

    def damage(path, number, variable="pm2p5"):
        with h5py.File(path) as file:
            chunk = file[variable].id.get_chunk_info(number)
        with Path(path).open("r+b") as stream:
            stream.seek(chunk.byte_offset)
            stream.write(b"\x55" * chunk.size)
        return path

    return damage
