"""The test command of the original DeepCAMS: the same as ``deepcams evaluate``."""

import sys

from deepcams.cli import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
