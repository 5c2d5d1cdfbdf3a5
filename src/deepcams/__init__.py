"""Hourly PM2.5 at 0.25 degrees from CAMS files."""

__version__ = "0.1.0"
