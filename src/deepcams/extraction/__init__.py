"""Series and parts taken out of hourly maps: at points, over boxes and polygons, to tables and NetCDF."""
