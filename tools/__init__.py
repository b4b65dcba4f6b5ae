"""What the house makes of itself: pages and lists that are generated."""
