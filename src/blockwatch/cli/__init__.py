"""The command line."""


def main() -> None:
    """Run the ``blockwatch`` command."""
