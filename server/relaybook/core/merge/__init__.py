"""Many results become one: taken in one at a time, in any order, at a bounded size."""
