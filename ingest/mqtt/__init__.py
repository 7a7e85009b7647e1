"""MQTT as a source: framing, the backlog, acknowledgement after commit, and the connection.

`subscriber.Subscriber` is what the pipeline is given. MQTT 3.1.1; paho connects,
subscribes and pings, the receive path is ours.
"""
