"""
A second stocktake, written from the promise alone: what a count says, replaces.

It shares no code with memberops: movements are tuples, a count sets the level when the
replay comes to it, and the stock of today is what the replay ends with.
"""


class StocktakeModel:
    """Movements and counts of several (gift, place) cells, replayed by brute force."""

    def __init__(self):
        self.moves = []  # (hour, sequence, cell, change)
        self.counts = {}  # id -> (hour, position, id, cell, counted)
        self.in_force = []

    def replay(self, cell, counts, until=None):
        """Map hours to the levels of a cell after them; counts set the level."""
        steps = [((hour, seq, 0, ""), "move", change)
                 for hour, seq, own, change in self.moves if own == cell]  # fmt: skip
        steps += [
            ((hour, position, 1, name), name, counted)
            for name in counts
            for hour, position, _, own, counted in [self.counts[name]]
            if own == cell
        ]
        level, levels, before = 0, {}, None
        for (hour, *_), kind, number in sorted(steps, key=lambda step: step[0]):
            if kind != "move" and kind == until:
                before = level
            level = level + number if kind == "move" else number
            levels[hour] = level
        return before if until is not None else levels

    def level(self, cell, counts=None):
        """Return the stock of today."""
        levels = self.replay(cell, self.in_force if counts is None else counts)
        return [0, *levels.values()][-1]

    def possible(self, cell, counts):
        """Tell if the replay is below zero after no hour: an hour is one moment."""
        return all(level >= 0 for level in self.replay(cell, counts).values())

    def book(self, name):
        """Return the level right before a count, the others in force."""
        cell = self.counts[name][3]
        return self.replay(cell, [*self.in_force, name], until=name)
