"""Prints the samples of a metrics text, read with Prometheus's own parsers for Python, one a line and sorted.

usage: prometheus_text.py prometheus|openmetrics FILE
"""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus


def escaped(value):
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def main(flavour, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    lines = []
    for family in (openmetrics if flavour == "openmetrics" else prometheus)(text):
        if not family.documentation or family.type == "unknown":
            sys.exit(f"{family.name} has no help or type")
        for sample in family.samples:
            labels = ",".join(f'{name}="{escaped(value)}"' for name, value in sample.labels.items())
            value = int(sample.value) if float(sample.value).is_integer() else float(sample.value)
            lines.append(f"{sample.name}{'{' + labels + '}' if labels else ''} {value}")
    print("\n".join(sorted(lines)))


main(sys.argv[1], sys.argv[2])
