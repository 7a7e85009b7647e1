"""What a site's ingest is waiting for, in words; `/readyz` and the log say it.

Written by the worker, read by the HTTP side of the same event loop.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SiteStatus:
    """One site's condition."""

    site: str
    trouble: dict[str, str] = field(default_factory=dict)
    """What is missing (`kernels`, `site`, `database`, `broker`, `clock`) and why."""
    begun: bool = False
    """Whether the site's state has been made from the store."""
    batch_no: int = 0
    watermark: int | None = None
    """µs, None before the first reading."""
    caught_up: bool = False

    @property
    def waits_for(self) -> dict[str, str]:
        """What keeps readings from being taken in, and why."""
        if self.trouble or self.begun:
            return dict(self.trouble)
        return {"state": "it is being made from the store"}

    @property
    def ready(self) -> bool:
        """Whether readings are taken in and stored now."""
        return not self.waits_for

    def missing(self, what: str, why: str) -> None:
        """Something is not there."""
        self.trouble[what] = why

    def there(self, what: str) -> None:
        """It is there (again)."""
        self.trouble.pop(what, None)
