"""The service as a real process: how it stops, changes models and counts over several workers."""

import json
import os
import signal
import socket
import threading
import time
from collections import Counter

import pytest

from classifier import bundle
from tests.served import SECONDS, Served

ORDER = {"text": "迎宾大道的路灯不亮，夜里看不清路", "received_at": "2026-03-10T09:30:00+08:00"}
BODY = json.dumps({"work_orders": [ORDER]}).encode()


def half_sent(port):
    """A request of which the service has all but the last ten bytes."""
    sending = socket.create_connection(("127.0.0.1", port), SECONDS)
    head = ("POST /v1/tags HTTP/1.1", "Host: localhost", "Content-Type: application/json")
    sending.sendall("\r\n".join((*head, f"Content-Length: {len(BODY)}", "", "")).encode() + BODY[:-10])
    time.sleep(0.5)
    return sending


@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_it_finishes_what_is_in_flight_and_accepts_nothing_more(models_dir, workers):
    with Served("--models-dir", models_dir, "--workers", workers) as served:
        sending = half_sent(served.port)
        served.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", served.port), 1).close()
                time.sleep(0.05)
            except OSError:
                break
        assert served.process.poll() is None
        sending.sendall(BODY[-10:])
        with sending, sending.makefile("rb") as stream:
            answer = stream.read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"recorded":true' in answer
        assert served.process.wait(SECONDS) == 0
        assert served.lines()[-1]["event"] == "服务已停止"


def test_a_request_that_does_not_end_is_given_up_after_the_time_that_is_set(models_dir):
    with Served("--models-dir", models_dir, HOTLINE_SHUTDOWN_SECONDS="1") as served:
        sending = half_sent(served.port)
        begin = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - begin < 10
        sending.close()


def test_the_log_is_json_from_the_first_line_to_the_last(models_dir):
    with Served("--models-dir", models_dir, "--workers", "2") as served:
        assert served.tag([ORDER])[0] == 200
        assert served.stop() == 0
        lines = served.lines()
    assert [line["route"] for line in lines if line["event"] == "request"][-1] == "/v1/tags"
    (warned,) = [line for line in lines if line["level"] != "info"]
    assert "hotline keys add" in warned["event"]  # no key was made here


def test_models_change_over_two_workers_under_load_without_a_lost_request(store, model):
    for number in range(3):
        again = model.variant(f"v{number}")
        bundle.save(again, store.folder / f"v{number}", {"n": number}, "")
    seen, failed, done = Counter(), [], threading.Event()

    def desk(served):
        while not done.is_set():
            status, answer = served.tag([ORDER] * 5)
            versions = {one["model_version"] for one in answer.get("results", ())}
            if status != 200 or len(versions) != 1:
                failed.append((status, versions))
            seen.update(versions)

    with Served("--models-dir", store.folder, "--workers", "2") as served:
        desks = [threading.Thread(target=desk, args=(served,)) for _ in range(3)]
        for one in desks:
            one.start()
        for version in ("v0", "v1", "v2"):
            store.promote(version)
            before, until = seen[version], time.monotonic() + SECONDS
            while seen[version] < before + 20 and time.monotonic() < until:
                time.sleep(0.02)
        done.set()
        for one in desks:
            one.join(SECONDS)
        assert failed == []
        assert set(seen) == {"small", "v0", "v1", "v2"}
        total = sum(seen.values())
        found = served.metrics()
        counted = sum(value for name, value in found.items() if "tags" in name and "requests_total" in name)
        assert counted == total
        assert served.stop() == 0


def test_a_killed_worker_is_replaced_and_what_it_was_doing_is_no_longer_counted(models_dir):
    with Served("--models-dir", models_dir, "--workers", "2") as served:
        first, second = served.workers()
        held = [half_sent(served.port) for _ in range(8)]  # spread over both
        assert served.metrics()["hotline_requests_in_flight"] == 9
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + SECONDS
        while (first in served.workers() or len(served.workers()) < 2) and time.monotonic() < until:
            time.sleep(0.1)
        assert second in served.workers()
        left = served.metrics()["hotline_requests_in_flight"]
        assert 1 <= left < 9
        for one in held:
            one.close()
        assert served.tag([ORDER])[0] == 200
