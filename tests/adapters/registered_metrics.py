"""The names of all metrics of ours, of their samples and labels: what a query may ask for."""

from prometheus_client.metrics import MetricWrapperBase

from adapters import prometheus_metrics
from adapters.prometheus_database import FAMILIES

_SAMPLES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def _ours() -> list[MetricWrapperBase]:
    """Those that have a name of their own in the module, and those that stand in a table there."""
    found: list[MetricWrapperBase] = []
    for value in vars(prometheus_metrics).values():
        several = value.values() if isinstance(value, dict) else [value]
        found += [metric for metric in several if isinstance(metric, MetricWrapperBase)]
    return found


def registered() -> dict[str, set[str]]:
    """The samples' names, by the family's."""
    return {
        family.name: {family.name + suffix for suffix in _SAMPLES[family.type]}
        for metric in _ours()
        for family in metric.describe()
    } | {name: {name} for name in FAMILIES}


def labels() -> dict[str, set[str]]:
    """The labels of each family; a histogram's buckets have `le` besides."""
    return {
        family.name: set(metric._labelnames) for metric in _ours() for family in metric.describe()
    } | {name: set(given) for name, (_, given) in FAMILIES.items()}
