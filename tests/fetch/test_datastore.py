"""The client of the data store: what it asks, what it makes of refusals, and that it never waits for ever."""

import re
import time

import pytest

from deepcams.errors import FetchError, InputError
from deepcams.fetch.datastore import DataStore, Order
from deepcams.fetch.jobs import Pending, Waiting, obtain
from deepcams.fetch.keys import Credentials
from deepcams.fetch.patience import Patience
from tests.fetch.datastore import EAC4, KEY, PAGE, Store, problem
from tests.fetch.server import Drip, Hang, Reply, Reset, Status, WrongBody, json_reply

ORDER = Order(EAC4, {"variable": ["particulate_matter_2.5um"], "date": ["2019-12-01/2019-12-31"]})
QUICK = Waiting(first=0.01, longest=0.03, limit=3.0)
EXECUTION = re.compile(r".*/execution")
JOBS = re.compile(r".*/jobs/[^/]+")
FULL = "Number queued requests for this dataset is temporarily limited. Please configure your scripts accordingly"


@pytest.fixture
def store(server):
    return Store(server, make=lambda inputs: b"made of " + str(inputs["date"]).encode())


@pytest.fixture
def client(store, impatient):
    return DataStore(store.credentials, patience=impatient)


@pytest.fixture
def pending(store, tmp_path):
    return Pending(tmp_path / ".job.json", ORDER, store.url)


@pytest.fixture
def get(client, pending):
    """Obtain the file of the order; gives it, and keeps what was told in ``get.told``."""

    def get(waiting=QUICK):
        return obtain(client, ORDER, pending, waiting=waiting, tell=get.told.append)

    get.told = []
    return get


def test_an_order_becomes_a_file(get, store, server, pending):
    asset = get()
    assert asset.url == f"{server.url}/cache/job-1.zip"
    assert asset.size == len(store.jobs["job-1"].body)
    assert store.orders == [dict(ORDER.inputs)]
    assert get.told == ["queued", "running"]
    assert pending.job() == "job-1"  # until the file is there
    sent = server.requests_to(EXECUTION)[0]
    assert sent.headers["private-token"] == KEY
    assert sent.json() == {"inputs": dict(ORDER.inputs)}


def test_a_job_that_was_ordered_is_waited_for(get, store, pending, client):
    pending.keep(client.submit(ORDER))
    get()
    assert len(store.jobs) == 1


def test_a_job_that_is_gone_is_ordered_again(get, store, pending):
    pending.keep("job-of-last-year")
    assert get().url.endswith("job-1.zip")
    assert len(store.jobs) == 1


def test_a_job_of_another_order_is_not_taken(get, store, pending, tmp_path):
    Pending(tmp_path / ".job.json", Order(EAC4, {"variable": ["ozone"]}), store.url).keep("job-9")
    assert pending.job() is None
    (tmp_path / ".job.json").write_text("[")
    assert pending.job() is None


def test_results_that_are_gone_are_ordered_again(get, store, server):
    server.misbehave(re.compile(r".*/results"), Status(404, {}, problem(404, "results expired").body))
    get()
    assert len(store.jobs) == 2


def test_what_is_lost_again_and_again_is_given_up(get, store, server):
    server.route("GET", re.compile(r".*/results"), problem(404, "results expired"))
    with pytest.raises(FetchError, match="lost the job 4 times"):
        get()


def test_a_full_queue_is_waited_for(get, store, server):
    store.next_states, store.reason = [["accepted", "rejected"], ["rejected"]], FULL
    server.misbehave(EXECUTION, Status(400, {}, problem(400, "invalid request", FULL).body))
    get()
    assert len(store.jobs) == 3
    assert get.told[:2] == ["waits for a place in the queue", "queued"]


def test_a_queue_that_stays_full(get, store):
    store.refuse(problem(400, "invalid request", FULL))
    with pytest.raises(FetchError, match="took no order within") as error:
        get(Waiting(0.01, 0.02, 0.05))
    assert "/requests" in str(error.value)


def test_a_job_that_never_ends_is_kept(get, store, pending):
    store.states = ["running"]
    began = time.monotonic()
    with pytest.raises(FetchError, match=r"job job-1 is not done after .*kept.*--wait"):
        get(Waiting(0.01, 0.02, 0.1))
    assert time.monotonic() - began < 2
    assert pending.job() == "job-1"
    store.jobs["job-1"].states = ["successful"]
    assert get().url.endswith("job-1.zip")


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [
        ("MarsRuntimeError: server is down", FetchError, ("server is down", "the same command asks again")),
        ("MultiAdaptorNoDataError: no data for these dates", InputError, ("no such data", "until 2024-12-31", "earlier --end")),
        ("Request too large: 4 TB", InputError, ("too large", "--region")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("state", ["failed", "rejected"])
def test_a_job_that_fails_says_why(get, store, pending, reason, kind, words, state):
    store.states, store.reason = ["accepted", state], reason
    with pytest.raises(kind) as error:
        get()
    for word in ("job job-1", *words):
        assert word in str(error.value)
    assert pending.job() is None


@pytest.mark.parametrize("state", ["dismissed", "a state of tomorrow"])
def test_a_state_that_is_none_of_ours(get, store, state):
    store.states = [state]
    with pytest.raises(FetchError, match=f"job job-1.*{state}"):
        get()


LICENCE = f"Not all the required licences have been accepted; please visit {PAGE} to accept the required licence(s)."
POLICIES = (
    "Missing policies are: Data protection and privacy statement (rev. 1) - https://ads.atmosphere.copernicus.eu/licences/"
    "ads-data-protection-privacy-statement, Terms of use of the Copernicus Atmosphere Data Store (rev. 1) - "
    "https://ads.atmosphere.copernicus.eu/licences/terms-of-use-ads"
)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (problem(403, "required licences not accepted", LICENCE), InputError, ("licence", f"accept at {PAGE}, then")),
        (problem(403, "required licences not accepted", "[{'id': 'licence', 'revision': 12}]"), InputError,
         (f"/datasets/{EAC4}?tab=download#manage-licences",)),
        (problem(403, "user didn't accept all required site policies", POLICIES), InputError,
         ("privacy-statement and https://ads.atmosphere.copernicus.eu/licences/terms-of-use-ads, then",)),
        (problem(403, "cost limits exceeded", "Your request is too large, please reduce your selection."), InputError,
         ("too large", "fewer days", "--region")),
        (Reply(413, b"<html><h1>Request Entity Too Large</h1></html>"), InputError, ("too large",)),
        (problem(401, "Authentication failed", "operation not allowed"), InputError,
         ("key in ~/.cdsapirc is refused", "ads.atmosphere.copernicus.eu/profile")),
        (problem(404, "process not found", "dataset not found"), InputError,
         ("--url", "https://ads.atmosphere.copernicus.eu/api")),
        (problem(400, "invalid request", "request: Invalid key name: 'product_type'"), InputError,
         ("request is refused; ", "product_type", "until 2024-12-31")),
        (problem(422, "invalid parameter", "date"), InputError, ("request is refused",)),
        (problem(418, "teapot"), FetchError, ("teapot",)),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(client, store, server, reply, kind, words):
    store.refuse(reply)
    with pytest.raises(kind) as error:
        client.submit(ORDER)
    for word in words:
        assert word in str(error.value)
    assert KEY not in str(error.value)
    assert len(server.requests_to(EXECUTION)) == 1  # once is enough


def test_a_key_that_is_refused(store, impatient):
    client = DataStore(Credentials(store.url, "another-key", "CDSAPI_KEY", ""), patience=impatient)
    with pytest.raises(InputError, match="key in CDSAPI_KEY is refused") as error:
        client.submit(ORDER)
    assert "another-key" not in str(error.value)


def test_an_unknown_dataset_or_address(client, server, impatient):
    with pytest.raises(InputError, match="dataset of-tomorrow not found"):
        client.submit(Order("of-tomorrow", {}))
    elsewhere = DataStore(Credentials(f"{server.url}/nothing", KEY, "--key", "--url"), patience=impatient)
    with pytest.raises(InputError, match="wanted the address https://ads"):
        elsewhere.submit(ORDER)


@pytest.mark.parametrize(
    "fault",
    [Status(429, {"Retry-After": "0"}), Status(500), Status(503, {}, b"<html>maintenance</html>"), Reset(), Hang(0.7),
     WrongBody(b"<html>log in to this network</html>"), WrongBody(b"[]"), WrongBody(b"{}")],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
@pytest.mark.parametrize("place", [EXECUTION, JOBS], ids=["order", "job"])
def test_what_passes_is_tried_again(get, server, fault, place):
    server.misbehave(place, fault)
    assert get().size


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Status(503, {}, b"<html><body>under maintenance</body></html>"), "status 503 (under maintenance)"),
        (Status(429, {"Retry-After": "0"}), "status 429"),
        (Reset(), "no connection"),
        (Hang(0.8), "no (connection|answer in time)"),
        (WrongBody(b"<html>"), "something else than what is wanted"),
    ],
)
def test_what_stays_ends_in_a_message(client, server, fault, words):
    server.misbehave(EXECUTION, *[fault] * 9)
    began = time.monotonic()
    with pytest.raises(FetchError, match=words if "|" in words else re.escape(words)) as error:
        client.submit(ORDER)
    assert "3 tries" in str(error.value)
    assert KEY not in str(error.value)
    assert time.monotonic() - began < 10


def test_nobody_there(impatient):
    client = DataStore(Credentials("http://127.0.0.1:9/api", KEY, "--key", "--url"), patience=impatient)
    with pytest.raises(FetchError, match=r"no connection \(Connection refused\)"):
        client.submit(ORDER)


def test_an_answer_that_trickles_in(store, server):
    hasty = Patience(connect=0.1, read=0.1, tries=2, pause=0.01, longest_pause=0.02)
    client = DataStore(store.credentials, patience=hasty)
    server.misbehave(EXECUTION, Drip(60), Drip(60))
    began = time.monotonic()
    with pytest.raises(FetchError, match="no answer within"):
        client.submit(ORDER)
    assert time.monotonic() - began < 3


def test_a_redirect_elsewhere_is_not_followed(client, server):
    other = server.url.replace("127.0.0.1", "localhost")
    server.misbehave(re.compile(r".*/processes/[^/]+"), *[Status(302, {"Location": f"{other}/trap?token=1"})] * 3)
    with pytest.raises(FetchError, match="leads elsewhere") as error:
        client.submit(ORDER)
    assert "token" not in str(error.value)
    assert not server.requests_to("/trap")


def test_warnings_of_the_store_are_kept(server, store, impatient):
    news = [{"severity": "warning", "content": "Maintenance on Friday", "date": "2026-11-20"},
            {"severity": "info", "content": "New pictures"}]  # fmt: skip
    server.route("GET", "/api/catalogue/v1/messages", json_reply({"messages": news}))
    assert DataStore(store.credentials, patience=impatient).messages == ["[2026-11-20] Maintenance on Friday"]


def test_news_that_cannot_be_had_do_not_matter(server, store, impatient):
    server.route("GET", "/api/catalogue/v1/messages", Reply(500))
    assert DataStore(store.credentials, patience=impatient).submit(ORDER) == "job-1"
