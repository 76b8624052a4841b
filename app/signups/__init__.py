"""Sign-ups (报名): who takes a place on a shift, who waits for one (候补), and who moves up."""
