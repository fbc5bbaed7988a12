"""The checks, a module for each family: functions of a case that give findings."""
