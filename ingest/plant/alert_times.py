"""When an alert rule counts and when it keeps quiet: schedules, calibrations, states of a state point."""

from collections.abc import Sequence

from ingest.model import Reason
from ingest.plant.alert_subjects import Known
from ingest.plant.alerts import Quiet, Schedule
from ingest.plant.plan_alerts import PlanQuiet, PlanSchedule
from ingest.plant.sentence import Place


def codes_of(known: Known, place: Place, point_id: str, listed: Sequence[str | int]) -> list[int]:
    """The codes of a state point's states; PlantError for what is none."""
    point = known.catalogue.points.get(point_id)
    if point is None or point.kind != "state":
        raise known.catalogue.fault((*place[:-1], "point"), point_id, "the id of a state point of this file")
    found = []
    for i, state in enumerate(listed):
        code = point.states.get(state) if isinstance(state, str) else state
        if code is None:
            expected = f"a state of {point.id}: {', '.join(point.states) or 'a code'}"
            raise known.catalogue.fault((*place, i), state, expected)
        found.append(code)
    return found


def schedule_of(known: Known, place: Place, schedule: Schedule | None) -> PlanSchedule | None:
    """When a rule counts; None: always."""
    if schedule is None:
        return None
    catalogue = known.catalogue
    shifts = catalogue.file.calendar.shifts
    starts = sorted(_minute(shift.start) for shift in shifts)
    spans = []
    for i, name in enumerate(schedule.shifts):
        shift = next((one for one in shifts if one.name == name), None)
        if shift is None:
            raise catalogue.fault((*place, "schedule", "shifts", i), name, "a shift of the calendar")
        begin = _minute(shift.start)
        spans.append((begin, starts[(starts.index(begin) + 1) % len(starts)]))
    for hours in schedule.hours:
        begin_text, _, end_text = hours.partition("-")
        spans.append((_minute(begin_text), _minute(end_text)))
    return PlanSchedule(tuple(spans), schedule.days)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def quiet_of(known: Known, place: Place, quiet: Quiet | None) -> PlanQuiet | None:
    """While what it keeps quiet; None: never."""
    if quiet is None:
        return None
    catalogue = known.catalogue
    named = list(quiet.points)
    for i, one in enumerate(quiet.instruments):
        instrument = next((entry for entry in catalogue.file.instruments if entry.id == one), None)
        if instrument is None:
            raise catalogue.fault((*place, "quiet", "instruments", i), one, "an instrument of this file")
        named += instrument.points
    for i, point in enumerate(named):
        if point not in catalogue.index:
            raise catalogue.fault((*place, "quiet", "points", i), point, "the id of a point of this file")
    states = []
    for i, state in enumerate(quiet.states):
        where = (*place, "quiet", "states", i, "codes")
        codes = codes_of(known, where, state.point, state.codes)
        states.append((catalogue.index[state.point], tuple(codes)))
    first = named[0] if named else quiet.states[0].point
    return PlanQuiet(
        tuple(dict.fromkeys(catalogue.index[point] for point in named)),
        sum(Reason[reason.upper()] for reason in set(quiet.reasons)),
        tuple(states),
        f"{catalogue.file.site}/{first}",
    )
