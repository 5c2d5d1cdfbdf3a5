"""The training command of the original DeepCAMS: the same as ``deepcams train all``."""

import sys

from deepcams.cli import main

if __name__ == "__main__":
    main(["train", "all", *sys.argv[1:]])
