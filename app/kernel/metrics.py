"""What the service counts, in Prometheus' terms. One process, one registry."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

requests = Counter(
    "lovebank_requests_total", "Requests by route template, method and status.", ["route", "method", "status"]
)
request_seconds = Histogram("lovebank_request_seconds", "Time to answer, in seconds, by route template.", ["route"])
transaction_seconds = Histogram(
    "lovebank_transaction_seconds", "Time of a database transaction with its commit, in seconds."
)
batch_size = Histogram(
    "lovebank_batch_size",
    "Requests that one transaction carried together, commands or reads.",
    ["of"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
postings = Counter("lovebank_postings_total", "Postings written.")
refusals = Counter("lovebank_refusals_total", "Refusals of the domain by code.", ["code"])
job_lag_seconds = Gauge("lovebank_job_lag_seconds", "How late the oldest job just claimed was, in seconds.")
sealed = Counter("lovebank_sealed_total", "Transactions that went into their community's tree.")
seals_failed = Counter("lovebank_seals_failed_total", "Tries to seal a community that failed; the log says why.")
seal_lag_seconds = Gauge(
    "lovebank_seal_lag_seconds", "How long the oldest unsealed transaction has waited, in seconds."
)

# Prometheus looks its labels up anew each time, which costs more than to count.
_requests_of = cache(requests.labels)
_seconds_of = cache(request_seconds.labels)


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count an answered request and how long it took."""
    _requests_of(route, method, status).inc()
    _seconds_of(route).observe(seconds)
