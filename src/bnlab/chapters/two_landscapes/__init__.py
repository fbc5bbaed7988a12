"""The page on two pictures that are both called the loss landscape (Santurkar 2018)."""
