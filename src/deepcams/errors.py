"""What can go wrong, and the exit status that says whose fault it was."""


class DeepcamsError(Exception):
    """The work failed: what was promised could not be computed (exit status 1)."""

    exit_status = 1


class InputError(DeepcamsError):
    """The call or the input is wrong: the message says what was found, what was wanted and what to do (exit status 2)."""

    exit_status = 2


class OutputError(DeepcamsError):
    """The output cannot be written where it was asked for (exit status 2)."""

    exit_status = 2


class WriteError(OutputError):
    """Writing failed while the work went on: a full disk, a share that went away (exit status 1)."""

    exit_status = 1


class IncompleteError(DeepcamsError):
    """Some days could not be made: the message says which and why (exit status 1)."""


class CheckError(DeepcamsError):
    """A computed field broke a promise of the method (finite, non-negative, area means kept)."""


class FetchError(DeepcamsError):
    """A service could not give what was asked for, however patiently: down, too slow, out of quota (exit status 1)."""
