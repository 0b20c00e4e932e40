"""``python -m actgen``: the same as the command ``actgen``."""

from __future__ import annotations

from actgen.cli import main

if __name__ == "__main__":
    main(prog_name="actgen")
