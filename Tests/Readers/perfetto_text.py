"""Prints a Perfetto trace, read with Perfetto's own message classes, as `ExportPerfettoFile.text` does.

usage: perfetto_text.py FILE

Fails on fields that the format does not know.
"""

import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

KINDS = {
    TrackEvent.TYPE_SLICE_BEGIN: "begin", TrackEvent.TYPE_SLICE_END: "end", TrackEvent.TYPE_INSTANT: "instant",
    TrackEvent.TYPE_COUNTER: "counter"}


def refuse_unknown_fields(message):
    unknown = [field.field_number for field in UnknownFieldSet(message)]
    if unknown:
        sys.exit(f"{message.DESCRIPTOR.full_name} has no fields {unknown}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                refuse_unknown_fields(part)


def annotation(names, value):
    return f"{names[value.name_iid]}={getattr(value, value.WhichOneof('value'))}"


def main(path):
    with open(path, "rb") as file:
        trace = Trace.FromString(file.read())
    refuse_unknown_fields(trace)
    data = next(packet.interned_data for packet in trace.packet if packet.HasField("interned_data"))
    names = {name.iid: name.name for name in data.event_names}
    annotations = {name.iid: name.name for name in data.debug_annotation_names}
    functions = {name.iid: name.str.decode() for name in data.function_names}
    paths = {path.iid: path.str.decode() for path in data.mapping_paths}
    mappings = {mapping.iid: paths[mapping.path_string_ids[0]] for mapping in data.mappings}
    frames = {
        frame.iid: f"{functions[frame.function_name_id]} [{mappings[frame.mapping_id]}]" for frame in data.frames}
    stacks = {stack.iid: " > ".join(frames[frame] for frame in stack.frame_ids) for stack in data.callstacks}

    clocks, tracks, events, samples = {}, {}, [], []
    for packet in trace.packet:
        for clock in packet.clock_snapshot.clocks:
            clocks[clock.clock_id] = clock.timestamp
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            name = track.name or track.process.process_name or track.thread.thread_name
            counter = " (counter)" if track.HasField("counter") else ""
            tracks[track.uuid] = f"track {track.uuid} in {track.parent_uuid}: {name}{counter}"
        if packet.HasField("track_event"):
            event = packet.track_event
            line = f"{packet.timestamp} {KINDS[event.type]} on {event.track_uuid}"
            if event.name_iid:
                line += f" {names[event.name_iid]}"
            if event.HasField("counter_value"):
                line += f" = {event.counter_value}"
            if event.debug_annotations:
                line += " {" + ", ".join(annotation(annotations, value) for value in event.debug_annotations) + "}"
            if event.flow_ids:
                line += f" from {list(event.flow_ids)}"
            if event.terminating_flow_ids:
                line += f" to {list(event.terminating_flow_ids)}"
            events.append(line)
        if packet.HasField("perf_sample"):
            sample = packet.perf_sample
            samples.append(f"{packet.timestamp} sample on {sample.tid}: {stacks[sample.callstack_iid]}")

    lines = [f"clock {clock} at {instant}" for clock, instant in sorted(clocks.items())]
    lines += [line for _, line in sorted(tracks.items())]
    print("\n".join(lines + events + samples))


main(sys.argv[1])
