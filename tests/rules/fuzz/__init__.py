"""Throws at the rules compiler what no person would write, and what one might by mistake."""
