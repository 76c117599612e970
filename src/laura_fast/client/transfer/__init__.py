"""Documents from files and into files: JSON lines, JSON, CSV and BSON, as a stream of bounded memory."""
