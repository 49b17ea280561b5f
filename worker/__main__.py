"""Run the worker: `python -m worker`. SIGTERM and SIGINT drain it."""

import logging
import os
import shutil
import signal
import sys
from dataclasses import replace

from chalicelib import config as platform_config
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.adapters.streams.dynamodb_ingest_issues import DynamoIngestIssues
from chalicelib.adapters.streams.dynamodb_runtimes import DynamoRuntimes
from chalicelib.adapters.streams.dynamodb_streams import DynamoStreams
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.adapters.streams.sqs_work import SqsWorkQueue
from chalicelib.config import ConfigError
from worker import config, logs
from worker.egress_rules import EgressRules
from worker.supervision.agent import Agent
from worker.supervision.pipeline import Ports

# Debian's package of ffprobe brings libsrt as well.
PROGRAMS = ("ffprobe", "prlimit", "setpriv")


def make_agent() -> Agent:
    """Build the agent from the environment. Raise `ConfigError`."""
    platform = platform_config.load()
    egress = EgressRules(networks=platform.ingest_networks, ports=platform.ingest_ports)
    settings = replace(config.load(), egress=egress)
    missing = [name for name in PROGRAMS if shutil.which(name, path=settings.ffmpeg_environ["PATH"]) is None]
    if missing:
        raise ConfigError(f"not found on PATH: {', '.join(missing)}. On Debian: apt-get install ffmpeg util-linux")
    prefix = platform.table_prefix
    ports = Ports(
        DynamoStreams(prefix),
        DynamoRuntimes(prefix),
        S3Media(platform.media_bucket),
        DynamoIngestIssues(prefix),
        SystemClock(),
    )
    return Agent(ports, SqsWorkQueue(platform.work_queue), DynamoWorkers(prefix), settings)


def main() -> int:
    """Run until a signal. Return 0 after a clean drain, 1 if a stream did not end in time, 2 for a wrong setting."""
    logs.set_up()
    try:
        agent = make_agent()
    except ConfigError as error:
        logging.getLogger("worker").error("wrong configuration", extra={"error": str(error)})
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    return 0 if agent.run() else 1


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    sys.stderr.flush()
    # Not sys.exit: that would wait for a thread whose request to a store hangs.
    os._exit(status)
