"""Streams that live from what others send: every kind of source, and what takes over when one goes."""

import itertools
import time
from pathlib import Path

import pytest

from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.ladders import Rendition
from chalicelib.domain.streams import SLATE, RuntimeState
from infra.local.layout import free_port  # noqa
from tests.integration.worker.harness import Lab, eventually
from tests.integration.worker.senders import end, send_srt
