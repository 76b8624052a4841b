"""Calendar feeds: the shifts of a volunteer, a team or a site in iCalendar, at an address that only its owner knows."""
