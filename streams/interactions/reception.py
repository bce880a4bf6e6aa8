"""Reception: what a partition tells of its guests to who has them merged."""

from learners.users import Users
from streams.interactions.intake import Intake
from streams.interactions.moving import Moving
from streams.shards import Message


class Reception:
    """Answers for one partition; see `streams.worker.logins.Guesthouse`."""

    def __init__(self, users: Users, intake: Intake, moving: Moving) -> None:
        self._users, self._intake, self._moving = users, intake, moving

    @property
    def merged_until(self) -> int:
        """The last message of `users` that was done here, -1 for none."""
        return self._moving.merged_until

    def hosts(self, user: str) -> bool:
        """Tell whether anything is known of a user."""
        return user in self._users.ids

    def merge(self, message: int, guest: str, user: str) -> Message:
        """Return what has to be produced to merge a guest, or with none to say that it is done."""
        return self._moving.merge(message, guest, user)

    def passed_on(self, partition: int) -> int:
        """Return the last event that was sent on to another partition, or -1."""
        return self._intake.passed_on(partition)

    def came_from(self, partition: int) -> int:
        """Return the last event of another partition that has come here, or -1."""
        return self._intake.came_from(partition)
