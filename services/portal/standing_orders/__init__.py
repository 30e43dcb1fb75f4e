"""Standing orders as their clients see them (G3): the plan, the next charge; cancel, and give another card."""
