"""The site table."""

from __future__ import annotations

import gzip

import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.sites import Site, Sites, load_sites


@pytest.fixture
def table(tmp_path):
    """Write a table."""

    def write(text, name="sites.csv", encoding="utf-8"):
        data = text.encode(encoding)
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


@pytest.mark.parametrize("identifier", ["station_id", "Station", "ID", "aqsid", "Sampling Point Id", "SamplingPointId"])
@pytest.mark.parametrize("places", [("latitude", "longitude"), ("Lat", "Lon"), ("LATITUDE", "lng"), ("y", "x")])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_go_by_many_names(table, identifier, places, delimiter):
    path = table(delimiter.join([identifier, *places]) + "\n" + delimiter.join(["Peking", "39.95", "116.47"]) + "\n")
    assert load_sites(path).find(" peking ") == Site(39.95, 116.47, "Peking")


def test_all_that_a_table_may_say(table):
    titles = "code,name,lat,lon,country,tz,units\n"
    path = table(titles + "a1,Kathmandu,27.7,85.3,np,5.75,ug/m3\nb2,Lima,-12.1,-77,PE,America/Lima,\n", "t.csv.gz")
    sites = load_sites(path)
    assert sites.find("A1") == Site(27.7, 85.3, "Kathmandu", "NP", "+05:45", "ug/m3")
    assert sites.find("nowhere", "lima") == Site(-12.1, -77, "Lima", "PE", "America/Lima")
    assert sites.find("nowhere") is None


def test_parquet_is_a_table_too(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {"location_id": [7, 8], "latitude": [1.5, 2.5], "longitude": [3.0, 4.0]}
    pq.write_table(pa.table(columns), tmp_path / "sites.parquet")
    assert load_sites(tmp_path / "sites.parquet").find("8") == Site(2.5, 4, "8")


def test_names_need_not_be_utf_8(table):
    path = table("id,name,lat,lon\n1,São Paulo,-23.6,-46.7\n", encoding="cp1252")
    assert load_sites(path).find("são paulo") == Site(-23.6, -46.7, "São Paulo")


def test_the_list_of_airnow(table):
    titles = (
        "StationID|AQSID|FullAQSID|Parameter|MonitorType|SiteCode|SiteName|Status|AgencyID|AgencyName|EPARegion|Latitude|"
        "Longitude|Elevation|GMTOffset|CountryFIPS|CBSA_ID|CBSA_Name|StateAQSCode|StateAbbreviation|CountyAQSCode|CountyName"
    )
    line = (
        "156BJ1010001|BJ1010001|156BJ1010001|{}|Permanent|0001|Beijing|Active|DOS|US DOS|DOS|39.95|116.47|0|8|CH||||||"
    )
    path = table("\n".join([titles, line.format("OZONE"), line.format("PM2.5")]) + "\n", "sites.dat")
    sites = load_sites(path)
    wanted = Site(39.95, 116.47, "Beijing", "CN", "+08:00")
    assert [sites.find(one) for one in ("BJ1010001", "156bj1010001", "Beijing")] == [wanted] * 3


def test_the_older_list_of_airnow_has_no_titles(table):
    line = (
        "060371103|{}|1103|Los Angeles - N. Main|Active|CA8|South Coast|R9|34.06659|-118.22688|87.0|-8.00|US|" + "|" * 9
    )
    path = table("\n".join(line.format(one) for one in ("PM2.5", "OZONE")) + "\n", "monitoring_site_locations.dat")
    assert load_sites(path).find("060371103") == Site(34.06659, -118.22688, "Los Angeles - N. Main", "US", "-08:00")


def test_the_metadata_of_the_eea(table):
    titles = (
        "Country,Air Quality Station EoI Code,Sampling Point Id,Air Quality Station Name,Longitude,Latitude,Timezone\n"
    )
    lines = "Austria,AT1,SPO.1,Wien,16.37,48.2,UTC+1\nAustria,AT1,SPO.2,Wien,16.3701,48.2001,UTC+1\n"
    sites = load_sites(table(titles + lines))
    assert sites.find("spo.2") == Site(48.2001, 16.3701, "Wien", "", "+01:00")
    assert sites.find("AT1").latitude == pytest.approx(48.2, abs=1e-3)


def test_the_same_identifier_twice_must_be_the_same_place(table):
    assert load_sites(table("id,lat,lon\na,1,359.999\na,1,-0.001\n")).find("a") == Site(1, 359.999, "a")
    with pytest.raises(InputError, match=r"a is there twice, at 1N 2E and 1N 2.5E; wanted each once"):
        load_sites(table("id,lat,lon\na,1,2\na,1,2.5\n"))


def test_a_name_shared_by_sites_finds_none_of_them(table):
    sites = load_sites(table("id,name,lat,lon\n1,Central,1,2\n2,Central,50,60\n"))
    assert sites.find("Central") is None
    assert sites.find("2").latitude == 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,lat\na,1\n", "no column of longitude; wanted some like station_id, latitude, longitude; found id, lat"),
        ("lat,lon\n1,2\n", "no column of identifiers"),
        ("id,lat,lon\na,91,2\n", "a has the latitude '91'; wanted degrees within -90..90"),
        ("id,lat,lon\na,1,400\n", "a has the longitude '400'; wanted degrees within -360..360"),
        ("id,lat,lon\na,,2\n", "a has the latitude ''"),
        ("id,lat,lon\na,nan,2\n", "a has the latitude ''|a has the latitude 'nan'"),
        ("id,lat,lon,tz\na,1,2,Asia/Atlantis\n", "a: time zone 'Asia/Atlantis'"),
        ("id,lat,lon\n", "no sites; wanted a line for each station"),
        ("id,lat,lon\na,1\n", "columns"),
    ],
)
def test_what_is_wrong_is_said(table, text, message):
    with pytest.raises(InputError, match=message):
        load_sites(table(text))


def test_a_missing_or_cut_off_table(tmp_path, table):
    with pytest.raises(InputError, match=r"none.csv"):
        load_sites(tmp_path / "none.csv")
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"id,lat,lon\n" + b"".join(b"s%d,1,2\n" % i for i in range(9999)))[:-99])
    with pytest.raises(InputError, match="cut off"):
        load_sites(cut)


def test_sites_made_by_hand_are_found_whatever_their_case(tmp_path):
    sites = Sites(tmp_path, {"Beijing": Site(39.95, 116.47)})
    assert sites.find("BEIJING").longitude == 116.47


def test_sites_without_any_coordinates_are_passed_over(table):
    sites = load_sites(table("id,lat,lon\na,,\nb,1,2\n"))
    assert (sites.find("a"), sites.find("b")) == (None, Site(1, 2, "b"))
