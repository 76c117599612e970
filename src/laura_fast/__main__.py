"""`python -m laura_fast`."""

from laura_fast.cli._group import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
