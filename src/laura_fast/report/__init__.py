"""Results folders: recorded runs turned into tables, plots and a page."""
