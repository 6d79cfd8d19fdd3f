"""The daemon: a run now and then, one at a time, until it is told to stop.

A run that fails is told and the next one comes as if nothing had happened; a system that backs off is left alone.
While another process is at work, it is waited out. SIGTERM and SIGINT end it when the requests under way are answered.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING

from smarketing.cli.outcome import summary
from sync import run as runner
from sync.engine import Interrupted
from sync.lease import LeaseHeld

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.side_by_side import Report

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds after which it is looked whether another process is still at work."""


class Daemon:
    """Runs a synchronisation every so many seconds, the first at once."""

    def __init__(self, installation: Installation, every: float, who: str) -> None:
        self._installation = installation
        self._every = every
        self._who = who
        self._stop = threading.Event()

    def serve(self) -> None:
        """Go on until `stop`, or a signal."""
        from apscheduler.schedulers.background import BackgroundScheduler

        # A skipped run is no news: the one that takes so long is told.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        log.setLevel(logging.INFO)
        zone = self._installation.zone
        scheduler = BackgroundScheduler(timezone=zone)
        at_once = datetime.fromtimestamp(self._installation.engine.world.now() / 1_000_000, zone)
        scheduler.add_job(
            self._pass,
            "interval",
            seconds=self._every,
            next_run_time=at_once,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        with _listening(self._signalled):
            log.info("started: a run every %g s; end it with SIGTERM or Ctrl-C", self._every)
            scheduler.start()
            try:
                self._stop.wait()
            finally:
                scheduler.shutdown(wait=True)
                log.info("stopped")

    def stop(self) -> None:
        """End when what is under way is done."""
        self._installation.engine.stopping = True
        self._stop.set()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        del frame
        log.info("%s: stopping when what is under way is done", signal.Signals(number).name)
        self.stop()

    def _pass(self) -> None:
        """One run, however it ends."""
        told = False
        while not self._stop.is_set():
            try:
                report = runner.sync(self._installation.engine, self._who, "daemon", kind="daemon", patient=True)
            except LeaseHeld as held:
                if not told:
                    log.warning("waiting: %s", held)
                told = True
                self._stop.wait(AGAIN)
            except Interrupted:
                log.info("the run under way was ended early; the next one goes on from there")
                return
            except Exception as error:
                log.error("a run failed: %s", _told(error))
                return
            else:
                _log(report)
                return


@contextmanager
def _listening(hear: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Hear the signals that end a process. Outside the main thread nobody can, and somebody else must call `stop`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {each: signal.signal(each, hear) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


def _log(report: Report) -> None:
    """What came of a run, in one line."""
    level = logging.ERROR if report.failures else logging.WARNING if report.refuses else logging.INFO
    log.log(level, "%s", summary(report))


def _told(error: Exception) -> str:
    code = getattr(error, "code", None)
    return f"[{code}] {error}" if code is not None else f"[SM999] a fault of ours ({type(error).__name__})"
