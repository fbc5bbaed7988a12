"""Figures, boxes and number words; nothing here knows a result."""
