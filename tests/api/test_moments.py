import pytest

from api.moments import read_moment


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-01 00:30:00",
        "2026-01-01T00:30",
        "2026/1/1 0:30",
        "2026.01.01 00:30:00.000",
        "2026年1月1日 0时30分",
        "2026年1月1日0点30分0秒",
        "20260101003000",
        "20260101 0030",
        " 2026-01-01  00：30 ",
    ],
)
def test_moments_as_offices_write_them_are_meant_in_shanghai(written):
    moment, naive = read_moment(written)
    assert moment is not None
    assert moment.isoformat() == "2026-01-01T00:30:00+08:00"
    assert naive


@pytest.mark.parametrize(
    "written",
    ["2025-12-31T16:30:00Z", "2025-12-31 08:30:00-08:00", "2026-01-01T00:30:00+0800", "2026-01-01 01:30+09"],
)
def test_a_moment_with_a_zone_is_carried_over(written):
    moment, naive = read_moment(written)
    assert moment is not None
    assert moment.isoformat() == "2026-01-01T00:30:00+08:00"
    assert not naive


def test_a_day_alone_is_its_midnight():
    assert str(read_moment("2026-01-01")[0]) == "2026-01-01 00:00:00+08:00"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "昨天",
        "2026-02-30",
        "2026-13-01",
        "26-01-01",
        "2026-01-01 25:00",
        "45658.02",
        "0000-01-01",
        "9999-12-31T23:59-12:00",
    ],
)
def test_what_is_no_moment_is_none(written):
    assert read_moment(written)[0] is None
