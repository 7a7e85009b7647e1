"""A page of a regime's hours as a table for CSV; JSON has the components nested."""

from service.documents import columns_of
from service.regime_hours import ComponentDocument, RegimeHour, RegimeHoursPage
from service.tabular import Table


def as_table(page: RegimeHoursPage) -> Table:
    """A row an hour, with what stands for each component beside."""
    own = [name for name in columns_of(RegimeHour) if name != "components"]
    names = [component.name for component in page.items[0].components] if page.items else []
    of_component = [name for name in columns_of(ComponentDocument) if name != "name"]
    columns = [*own, *(f"{name}.{column}" for name in names for column in of_component)]
    told = []
    for item in page.items:
        hour = item.model_dump(by_alias=True)
        components = {one["name"]: one for one in hour["components"]}
        told.append(
            [hour[name] for name in own]
            + [components[name][column] for name in names for column in of_component]
        )
    return Table(columns, told, page.next)
