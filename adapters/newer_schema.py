"""What every command that migrates refuses with; by itself, so that commands start quickly."""


class NewerSchemaError(Exception):
    """A newer Kotodom has been at work in the database; nothing was changed."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database's schema is {revision}, of a newer Kotodom, which this one does not "
            "know: install that version again, or restore a backup of before"
        )
