"""Service health from Prometheus: ingest, service and webhooks."""

from dashboards.panels import Board, Metric

_OF_SITE = '{site="$site"}'

BOARD = Board(
    "stackwatt-health",
    "Service health",
    "What the processes tell of themselves.",
    (
        Metric("Readings stored", f"rate(stackwatt_readings_total{_OF_SITE}[$__rate_interval])", "cps"),
        Metric("Readings refused", f"rate(stackwatt_rejected_total{_OF_SITE}[$__rate_interval])", "cps"),
        Metric("Broker connected", f"stackwatt_broker_connected{_OF_SITE}", "bool_yes_no"),
        Metric("Age of the last commit", f"stackwatt_service_ingest_commit_age_seconds{_OF_SITE}", "s"),
        Metric(
            "Commit, 95th percentile",
            f"histogram_quantile(0.95, sum by (le) (rate(stackwatt_commit_seconds_bucket{_OF_SITE}[$__rate_interval])))",
            "s",
        ),
        Metric("Database answers", "stackwatt_service_database_up", "bool_yes_no"),
        Metric(
            "Requests by status",
            "sum by (status) (rate(stackwatt_service_requests_total[$__rate_interval]))",
            "reqps",
        ),
        Metric(
            "Answers, 95th percentile",
            "histogram_quantile(0.95, sum by (le) (rate(stackwatt_service_request_seconds_bucket[$__rate_interval])))",
            "s",
        ),
        Metric("Webhook deliveries that wait", "stackwatt_webhook_backlog"),
        Metric("Webhook deliveries given up", "stackwatt_webhook_dead_total"),
    ),
)
