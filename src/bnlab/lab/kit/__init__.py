"""What all widgets are made of; it knows none of them."""
