"""The stand-in broker: amqtt in a process of its own, where there is no Mosquitto.

    python -m deploy.amqtt_broker BIND PORT

For the demo only: everything it holds is in memory, and it is slow. It is
started on loopback addresses alone, so it asks nobody for a password.
"""

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker


async def serve(bind: str, port: int) -> None:
    """Run until SIGTERM or SIGINT."""
    host = f"[{bind}]" if ":" in bind else bind
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = Broker(config)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
