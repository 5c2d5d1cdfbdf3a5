"""A correction learned from stations: features, folds that leave out whole regions and periods, model, product."""
