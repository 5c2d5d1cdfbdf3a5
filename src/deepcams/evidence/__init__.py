"""The evidence report: what a folder of results holds, shown on one page and told as JSON."""
