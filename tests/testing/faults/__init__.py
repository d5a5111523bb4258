"""Faults: presets, effects, schedules, rules, and all of them over a socket."""
