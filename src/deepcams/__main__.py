"""``python -m deepcams``."""

from deepcams.cli import main

main()
