"""Scalars of a folder of event files, read by TensorBoard's own reader: python read_events.py <folder>."""

import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
number = lambda value: value if math.isfinite(value) else str(value)  # noqa: E731
print(json.dumps({tag: [[event.step, number(event.value), event.wall_time] for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
