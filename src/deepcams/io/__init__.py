"""Reading and writing of gridded data: nothing else in the package opens or writes it."""
