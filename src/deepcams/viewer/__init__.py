"""The map viewer: a page that draws hourly maps from a Zarr store, and the local server that gives it page and store.

The page's sources are in ``viewer/`` at the root of the repository; what is built from them is in ``page/``.
"""
