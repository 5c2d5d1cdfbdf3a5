"""Where the key and the address are found, and what is said when they are wrong."""

import pytest

from deepcams.errors import InputError
from deepcams.fetch.keys import URL, candidates, find_credentials

KEY = "5a0cc6d1-89ab-4def-a123-0123456789ab"
OTHER = "fedcba98-7654-3210-fedc-ba9876543210"
CLIMATE = "https://cds.climate.copernicus.eu/api"


@pytest.fixture
def find(tmp_path):
    """Find credentials in an environment, with files in an empty home."""

    def find(environment=None, url=None, key=None, **files):
        for name, text in files.items():
            (tmp_path / f".{name}").write_text(text)
        return find_credentials(url, key, environment=environment or {}, home=tmp_path)

    return find


@pytest.mark.parametrize(
    ("environment", "files", "where"),
    [
        ({"CDSAPI_KEY": KEY}, {}, "CDSAPI_KEY"),
        ({"ADSAPI_KEY": KEY, "CDSAPI_KEY": OTHER}, {}, "ADSAPI_KEY"),
        ({"ECMWF_DATASTORES_KEY": KEY}, {"cdsapirc": f"key: {OTHER}"}, "ECMWF_DATASTORES_KEY"),
        ({}, {"cdsapirc": f"url: {URL}\nkey: {KEY}\n"}, "~/.cdsapirc"),
        ({}, {"cdsapirc": f"# mine\nurl: '{URL}/'\nkey:   \"{KEY}\"\nverify: 0"}, "~/.cdsapirc"),
        ({}, {"adsapirc": f"key: {KEY}", "cdsapirc": f"url: {CLIMATE}\nkey: {OTHER}"}, "~/.adsapirc"),
        ({}, {"ecmwfdatastoresrc": f"url: {URL}\nkey: {KEY}"}, "~/.ecmwfdatastoresrc"),
        ({"CDSAPI_URL": URL}, {"cdsapirc": f"url: {CLIMATE}\nkey: {KEY}"}, "~/.cdsapirc"),
    ],
)
def test_each_place_is_looked_at_in_order(find, environment, files, where):
    found = find(environment, **files)
    assert (found.url, found.key, found.where) == (URL, KEY, where)
    assert KEY not in repr(found)


def test_options_come_first(find):
    found = find({"CDSAPI_KEY": OTHER}, url="https://mirror.example/api/", key=KEY)
    assert (found.url, found.key, found.where) == ("https://mirror.example/api", KEY, "--key")
    assert found.site == "https://mirror.example"


def test_a_file_of_another_name(find, tmp_path):
    (tmp_path / "rc").write_text(f"url: {URL}\nkey: {KEY}")
    found = find({"CDSAPI_RC": str(tmp_path / "rc")}, cdsapirc=f"key: {OTHER}")
    assert (found.key, found.where) == (KEY, str(tmp_path / "rc"))


def test_the_climate_store_is_passed_over_where_there_is_another(find):
    environment = {"CDSAPI_KEY": OTHER, "CDSAPI_URL": CLIMATE}
    assert find(environment, adsapirc=f"key: {KEY}").key == KEY


def test_its_key_serves_with_the_right_address(find):
    found = find(url=URL, cdsapirc=f"url: {CLIMATE}\nkey: {KEY}")
    assert (found.url, found.key, found.url_from) == (URL, KEY, "--url")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ("no key", "ads.atmosphere.copernicus.eu/profile", "there is no file ~/.adsapirc, ~/.cdsapirc", f"url: {URL}")),
        ({"cdsapirc": f"url: {URL}\n"}, ("no key", "~/.cdsapirc has no line 'key: ...'")),
        ({"cdsapirc": f"url: {CLIMATE}\nkey: {KEY}"}, ("~/.cdsapirc", "the Climate Data Store", f"--url {URL}", "~/.adsapirc")),
        ({"cdsapirc": f"url: {URL}/v2\nkey: {KEY}"}, ("shut in 2024", URL)),
        ({"cdsapirc": f"url: {URL}\nkey: 12345:{KEY}"}, ("UID:KEY", "without a colon")),
        ({"cdsapirc": f"url: {URL}\nkey: <PERSONAL-ACCESS-TOKEN>"}, ("is not one",)),
        ({"cdsapirc": f"url: {URL}\nkey: abc"}, ("3 characters",)),
        ({"url": "http://ads.atmosphere.copernicus.eu/api", "key": KEY}, ("in the clear", "https")),
        ({"url": "ads.atmosphere.copernicus.eu/api", "key": KEY}, (f"wanted {URL}",)),
        ({"url": CLIMATE, "key": KEY}, ("--url", "the Climate Data Store")),
        ({"url": "https://ewds.climate.copernicus.eu/api", "key": KEY}, ("the Early Warning Data Store",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_without_the_key(find, given, words):
    with pytest.raises(InputError) as error:
        find(**given)
    for word in words:
        assert word in str(error.value)
    assert KEY not in str(error.value)


def test_a_file_that_cannot_be_read(find, tmp_path, monkeypatch):
    (tmp_path / ".cdsapirc").mkdir()  # a folder is no file
    with pytest.raises(InputError, match="no key"):
        find()
    (tmp_path / ".adsapirc").write_bytes(b"\xff\xfe: \xff\nkey: " + KEY.encode())
    assert find().key == KEY
    monkeypatch.setattr("pathlib.Path.read_text", _denied)
    with pytest.raises(InputError, match=r"~/.adsapirc: cannot be read \(Permission denied\)"):
        find()


def _denied(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_all_of_them_can_be_told(tmp_path):
    (tmp_path / ".cdsapirc").write_text(f"url: {CLIMATE}\nkey: {OTHER}")
    found = list(candidates({"CDSAPI_KEY": KEY}, tmp_path))
    assert [(one.where, one.url) for one in found] == [("CDSAPI_KEY", URL), ("~/.cdsapirc", CLIMATE)]
