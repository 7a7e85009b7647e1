"""Two processes of `./run chaos webhooks`: a receiver that keeps a file, and a notifier that is less patient.

    python -m tests.chaos.webhook_parts receiver PORT FILE SEED
    python -m tests.chaos.webhook_parts notifier

The receiver verifies every signature, writes a line before it answers, and answers some with an
error, slowly, or not at all. The notifier is `stackwatt notify` with waits of tenths of a second.
"""

import asyncio
import json
import logging
import os
import random
import sys

from standardwebhooks import Webhook, WebhookVerificationError

from ingest.model import SECOND
from service.webhooks.notifier import Bounds
from service.webhooks.process import NotifierSettings, run
from service.webhooks.schedule import Schedule
from service.webhooks.targets import parse_networks
from tests.service.webhooks.receiving import SECRET, Received, status, taken

REFUSES, HANGS_UP, SLOW_S = 0.05, 0.05, 0.03


async def receive(port: int, file: str, seed: int) -> None:
    """Take POSTs until killed."""
    dice = random.Random(seed)
    verifier = Webhook(SECRET)
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(got: Received, outcome: str) -> None:
        try:
            verifier.verify(got.body, dict(got.headers), json_parse=False)
        except WebhookVerificationError as error:
            outcome = f"bad signature: {error}"
        line = {
            "path": got.path, "id": got.id, "sequence": int(got.headers["stackwatt-sequence"]), "outcome": outcome,
        }  # fmt: skip
        os.write(log, (json.dumps(line) + "\n").encode())

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            got = await taken(reader)
            await asyncio.sleep(dice.uniform(0, SLOW_S))
            if dice.random() < REFUSES:
                note(got, "refused")
                writer.write(status(dice.choice([500, 502, 429])))
            else:
                note(got, "kept")
                await asyncio.sleep(dice.uniform(0, SLOW_S))
                if dice.random() >= HANGS_UP:
                    writer.write(status(204))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def notify() -> int:
    """The notifier's process with short waits."""
    logging.basicConfig(level=logging.INFO)
    settings = NotifierSettings(
        dsn=os.environ["STACKWATT_DSN"],
        environment={"HOOK_SECRET": SECRET},
        private=parse_networks(["127.0.0.0/8"]),
        schedule=Schedule(waits=(SECOND // 10, SECOND // 5, *[SECOND // 2] * 200)),
        bounds=Bounds(poll_s=0.2),
    )
    return asyncio.run(run(settings))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["receiver", port, file, seed]:
            asyncio.run(receive(int(port), file, int(seed)))
        case ["notifier"]:
            sys.exit(notify())
