"""Who observes which subjects of alert rules."""

from collections.abc import Mapping

from ingest.pipeline.subjects import Observe

OBSERVERS: Mapping[str, Observe] = {}
"""`PlanSubject.observed` → what makes its observer."""
