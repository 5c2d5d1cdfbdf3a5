"""Pictures of fields: maps, comparisons, colour scales, coastlines. matplotlib is loaded on first use."""
