"""`python -m gradus` is `gradus`."""

from gradus.api.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
