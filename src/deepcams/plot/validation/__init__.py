"""The figures of a validation against stations: density scatter, station maps, cycles, Taylor and target diagrams."""
