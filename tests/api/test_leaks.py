"""Nothing personal leaks: what is planted in good and bad requests is in no log, metric or error."""

import json
from http.client import HTTPConnection
from itertools import count
from urllib.parse import urlencode

from tests.served import Served

PHONE, IDENTITY = "13912345678", "440711199003078515"
SENTENCE = "我家阳台正对着那根冒烟的烟囱"
PLANTED = (PHONE, IDENTITY, SENTENCE)
TEXT = f"{SENTENCE}，电话{PHONE}，身份证{IDENTITY}"
ORDER = {"work_order_id": IDENTITY, "text": TEXT, "title": SENTENCE, "district": PHONE, "channel": SENTENCE}
CORRECTION = {"labels": {"category": SENTENCE}, "corrected_by": PHONE, "reason": TEXT}

REQUESTS = [
    ("POST", "/v1/tags", {"work_orders": [ORDER]}),
    ("POST", "/v1/tags", {"work_orders": [ORDER], "explain": True}),
    ("POST", "/v1/tags", {"work_orders": [ORDER | {"received_at": SENTENCE}]}),
    ("POST", "/v1/tags", {"work_orders": [ORDER | {SENTENCE: 1}]}),
    ("POST", "/v1/tags", {"work_orders": [{"text": [TEXT]}]}),
    ("POST", "/v1/tags", TEXT),
    ("POST", "/v1/corrections", {"corrections": [CORRECTION | {"work_order_id": IDENTITY}]}),
    ("POST", "/v1/session", {"name": PHONE, "password": SENTENCE}),
    ("POST", f"/{PHONE}", {"text": TEXT}),
    ("PATCH", f"/v1/work-orders/{PHONE}", CORRECTION),
    ("PATCH", f"/v1/work-orders/{IDENTITY}", CORRECTION | {"labels": {"urgent": "1"}}),
    ("GET", f"/v1/work-orders/{PHONE}", None),
    ("GET", f"/v1/jobs/{PHONE}", None),
    ("GET", f"/v1/feed?after={IDENTITY}", None),
    ("GET", f"/v1/work-orders?cursor={PHONE}", None),
    ("GET", f"/v2/models/{PHONE}", None),
    ("POST", "/v2/models/hotline/infer", {"inputs": [{"name": PHONE, "datatype": TEXT, "shape": [1]}]}),
    ("DELETE", f"/v1/jobs/{IDENTITY}", None),
    *(
        ("GET", f"/v1/volumes?{urlencode({'facet': 'first'} | query)}", None)
        for query in (
            {"facet": SENTENCE},
            {"cross": PHONE},
            {"where": f"category={SENTENCE}"},
            {"where": f"{SENTENCE}={PHONE}"},
            {"where": TEXT},
            {"since": PHONE},
            {"by": SENTENCE},
            {"compare": SENTENCE},
            {"top": PHONE + "x"},
        )
    ),
    ("GET", f"/v1/work-orders?{urlencode({'where': f'urgent={SENTENCE}', 'decision': PHONE})}", None),
    ("GET", f"/v1/work-orders?{urlencode({'where': f'urgent={SENTENCE}'})}", None),
    ("GET", f"/v1/work-orders?{urlencode({'since': SENTENCE, 'until': IDENTITY})}", None),
    ("GET", f"/v1/jobs?{urlencode({'cursor': SENTENCE})}", None),
    ("GET", f"/v1/audit?{urlencode({'cursor': SENTENCE, 'limit': PHONE, 'action': IDENTITY})}", None),
    ("GET", f"/open311/v2/requests.json?{urlencode({'service_code': SENTENCE, 'start_date': PHONE})}", None),
]


def test_what_is_planted_is_nowhere_but_where_it_belongs(models_dir, tmp_path):
    arguments = ("--models-dir", models_dir, "--database", tmp_path / "hotline.db")
    with Served(*arguments, HOTLINE_KSERVE="true", HOTLINE_OPEN311="true", HOTLINE_LOG="json") as served:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        statuses, numbers = set(), count()
        for method, path, body in REQUESTS:
            content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", "X-Request-ID": PHONE}
            for sent in [content] if content is None else [content, content[:-3], content + b"\xff"]:
                connection.request(
                    method, path, sent, headers | {"Idempotency-Key": f"{PHONE}{next(numbers)}"}
                )
                answer = connection.getresponse()
                said = answer.read().decode("utf-8", "replace")
                statuses.add(answer.status)
                if answer.status >= 400:
                    assert not [one for one in PLANTED if one in said], (method, path, said)
                assert PHONE not in str(answer.headers), (method, path)
        connection.close()
        metrics = served.get("/metrics")[1]
        assert served.stop() == 0
        log = served.log.read_text(encoding="utf-8")
    assert {200, 400, 404, 422} <= statuses
    assert max(statuses) < 500
    for one in PLANTED:
        assert one not in metrics
        assert one not in log
    assert log.count("/v1/tags") >= 6
