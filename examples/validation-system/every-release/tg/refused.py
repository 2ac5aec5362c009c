class Refused(Exception):
    """The request is well formed, but what it asks for cannot be done as things stand."""

    def __init__(self, field, rule, message):
        super().__init__(message)
        self.field, self.rule, self.message = field, rule, message


class Malformed(Refused):
    """The request itself is wrong, whatever the state."""
