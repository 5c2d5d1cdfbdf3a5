"""Claims on a store: one run at a time, or several that each make a part."""

import subprocess
import sys

import pytest

from deepcams.io.locks import Claim, alone, lock, lock_file

HOLD = """
import sys
from pathlib import Path
from deepcams.io.locks import Claim, lock_file
stream = lock_file(Path(sys.argv[1]), Claim(int(sys.argv[2]), int(sys.argv[3])))
print("refused" if stream is None else "held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Let another process have a claim until it is told to end."""
    others = []

    def hold(claim):
        call = [sys.executable, "-c", HOLD, str(tmp_path / "log"), str(claim.part), str(claim.parts)]
        others.append(subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert others[-1].stdout.readline() == "held\n"
        return others[-1]

    yield hold
    for other in others:
        with other:
            other.kill()


WHOLE = Claim()
TOGETHER = {
    (WHOLE, WHOLE): False,
    (WHOLE, Claim(1, 3)): False,
    (Claim(3, 3), WHOLE): False,
    (Claim(1, 3), Claim(1, 3)): False,
    (Claim(1, 3), Claim(2, 3)): True,
    (Claim(3, 3), Claim(1, 3)): True,
}


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_which_claims_go_together(tmp_path, hold, first, second):
    hold(first)
    stream = lock_file(tmp_path / "log", second)
    assert (stream is not None) == TOGETHER[first, second]
    if stream is not None:
        stream.close()


def test_a_claim_ends_with_its_process_however_it_ends(tmp_path, hold):
    other = hold(WHOLE)
    assert lock_file(tmp_path / "log", WHOLE) is None
    other.kill()
    other.wait()
    with lock_file(tmp_path / "log", WHOLE) as stream:
        assert not stream.closed


def test_a_part_waits_a_little_for_one_who_tidies_up(tmp_path, hold):
    other = hold(WHOLE)
    other.stdin.close()  # it is about to end
    with lock_file(tmp_path / "log", Claim(1, 2)) as stream:
        assert lock(stream.fileno(), Claim(1, 2))


def test_the_last_part_is_alone(tmp_path, hold):
    other = hold(Claim(2, 2))
    with lock_file(tmp_path / "log", Claim(1, 2)) as stream:
        assert not alone(stream, Claim(1, 2))
    with lock_file(tmp_path / "log", Claim(1, 2)) as stream:
        other.stdin.close()
        other.wait()
        assert alone(stream, Claim(1, 2))
        assert lock_in_another_process(tmp_path / "log", Claim(2, 2)) == "refused"


def lock_in_another_process(path, claim):
    call = [sys.executable, "-c", HOLD, str(path), str(claim.part), str(claim.parts)]
    return subprocess.run(call, input="", capture_output=True, text=True, check=True).stdout.strip()


def test_a_lock_on_a_file_that_has_been_removed_is_none(tmp_path, monkeypatch):
    """Another run removed the log between its opening here and its locking: the one that has its name now is locked."""
    log, opened = tmp_path / "log", type(tmp_path).open

    def removed_once(self, *arguments, **options):
        stream = opened(self, *arguments, **options)
        monkeypatch.setattr(type(tmp_path), "open", opened)
        self.unlink()
        return stream

    monkeypatch.setattr(type(tmp_path), "open", removed_once)
    with lock_file(log, WHOLE):
        assert log.exists()
        assert lock_in_another_process(log, WHOLE) == "refused"


def test_the_content_stays(tmp_path):
    (tmp_path / "log").write_text("before\n")
    with lock_file(tmp_path / "log", WHOLE) as stream:
        stream.write("after\n")
    assert (tmp_path / "log").read_text() == "before\nafter\n"
