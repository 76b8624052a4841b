"""Qualifications (资格): what volunteers may do because somebody checked that they can, from one day to another."""
