"""Whether a result is whole and right: by itself, by its ledger, by its inputs; and mending it."""
