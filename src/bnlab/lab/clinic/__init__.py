"""Clinic: a card for each symptom of chapter 14, which is seen in the page and repaired there."""

from bnlab.lab.clinic.clinic import CARDS, FOLDER, Clinic, firsts

JOBS = {"clinic": FOLDER / "page_clinic.js"}
FIRST = firsts()

__all__ = ["CARDS", "FIRST", "JOBS", "Clinic"]
