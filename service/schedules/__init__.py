"""Which of several schedules costs least energy, money or CO2: what past orders taught, and how far that is wrong."""
