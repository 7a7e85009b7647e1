"""Whose the energy and the emissions of a unit are: its orders', its idling's, or nobody's; they add up with ==."""
