"""Reports of shifts, days, months and years: what the routes answer for one span, put together and never reckoned anew."""
