"""Delivery of events to webhooks: from a row of `event` to an answered POST, in a process of its own.

    event_waiting → fan_out → delivery (waiting) → claiming → posting → delivered, again later, or dead

A notifier (`notifier`, started by `process`) makes deliveries of events and sends what is due;
any number of them may run at once. Each event reaches each endpoint at least once, under the same
`webhook-id`; within a stream a later one is sent only when the earlier is delivered or dead.
The HTTP API looks at the same tables (`service.webhook_pages`) and loads nothing of this that sends.
"""
