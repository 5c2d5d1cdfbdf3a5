"""Shared pieces of networks, and how their weights are kept in files."""
