"""Years of data: planned day by day, made by one machine or many, resumed, verified, summed up and cut into parts."""
