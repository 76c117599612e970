"""One node as a document database: queries, writes and indexes over the document store, each write exactly once."""
