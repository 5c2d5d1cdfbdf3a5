"""Days, months and years of hourly maps: means, extremes and counts above limits, in one pass."""
