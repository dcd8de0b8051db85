"""Who goes if there are too many: what has kept the server waiting, never the newest."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bridge.web.connections import Connection, Connections, Stage
from bridge.web.framing import Framing


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket() as made:
        yield made


class Crowd:
    """Connections that come one second after the other."""

    def __init__(self, sock: socket.socket, connections: Connections) -> None:
        self.connections = connections
        self._sock = sock
        self._now = 0.0

    def comes(self, address: str = "a", stage: Stage = Stage.ARRIVING) -> Connection:
        self._now += 1.0
        peer = ("192.0.2.1", 1)
        made = Connection(self._sock, peer, peer, address, Framing(1000), self._now)
        self.connections.add(made)
        if stage is not Stage.ARRIVING:
            self.moves(made, stage)
        return made

    def moves(self, connection: Connection, stage: Stage) -> None:
        self._now += 1.0
        self.connections.move(connection, stage, self._now)


@pytest.fixture
def crowd(sock: socket.socket) -> Crowd:
    return Crowd(sock, Connections(6, max_for_each_address=3, max_held_bytes=100, usual_size=20))


def test_the_address_that_has_too_many_loses_what_waits_longest(crowd: Crowd) -> None:
    oldest, *_ = [crowd.comes() for _ in range(3)]
    newest = crowd.comes()
    assert crowd.connections.one_too_many(newest) is oldest


def test_no_other_address_loses_anything_by_it(crowd: Crowd) -> None:
    crowd.comes("b")
    first, *_ = [crowd.comes("a") for _ in range(3)]
    assert crowd.connections.one_too_many(crowd.comes("a")) is first
    crowd.connections.remove(first)
    assert crowd.connections.one_too_many(crowd.comes("b")) is None


def test_a_proxy_of_ours_may_have_more(crowd: Crowd) -> None:
    for _ in range(5):
        assert crowd.connections.one_too_many(crowd.comes("")) is None


def test_if_all_addresses_have_too_many_what_waits_longest_goes(crowd: Crowd) -> None:
    first, *_ = [crowd.comes(each) for each in "bcdef"]
    crowd.comes("g", Stage.IDLE)
    assert crowd.connections.one_too_many(crowd.comes("h")) is first


def test_a_client_that_has_its_answer_goes_before_all_others(crowd: Crowd) -> None:
    for address in "abcde":
        crowd.comes(address)
    answered = crowd.comes("f", Stage.PARTING)
    assert crowd.connections.one_too_many(crowd.comes("g")) is answered


def test_a_connection_that_has_been_idle_for_longer_goes_before_one_that_arrives(
    crowd: Crowd,
) -> None:
    """Else strangers' idle connections would make genuine webhooks close one another."""
    idle = crowd.comes(stage=Stage.IDLE)
    arriving = crowd.comes()
    crowd.comes(stage=Stage.ANSWERING)
    assert crowd.connections.one_too_many(crowd.comes()) is idle
    crowd.moves(idle, Stage.IDLE)
    assert crowd.connections.one_too_many(crowd.comes()) is arriving


def test_what_is_being_answered_stays_and_so_does_the_newest(crowd: Crowd) -> None:
    for _ in range(3):
        crowd.comes(stage=Stage.ANSWERING)
    assert crowd.connections.one_too_many(crowd.comes()) is None


def test_if_all_places_are_taken_by_answers_the_newest_has_none(crowd: Crowd) -> None:
    for address in "abcdef":
        crowd.comes(address, Stage.ANSWERING)
    newest = crowd.comes("g")
    assert crowd.connections.one_too_many(newest) is newest


def test_the_largest_request_in_part_is_given_up_when_too_much_is_held(crowd: Crowd) -> None:
    small, large, answered = crowd.comes(), crowd.comes(), crowd.comes()
    crowd.connections.hold(small, bytes(10))
    crowd.connections.hold(answered, bytes(70))
    crowd.connections.take(answered, 70)
    crowd.moves(answered, Stage.ANSWERING)
    assert crowd.connections.too_large_to_hold() is None
    crowd.connections.hold(large, bytes(30))
    assert crowd.connections.too_large_to_hold() is large


def test_requests_of_the_usual_size_are_never_given_up_for_what_is_held(crowd: Crowd) -> None:
    small, answered = crowd.comes(), crowd.comes()
    crowd.connections.hold(answered, bytes(200))
    crowd.connections.take(answered, 200)
    crowd.moves(answered, Stage.ANSWERING)
    crowd.connections.hold(small, bytes(20))
    assert crowd.connections.too_large_to_hold() is None


def test_a_closed_connection_holds_nothing_whatever_is_still_under_way_for_it(
    crowd: Crowd,
) -> None:
    one = crowd.comes()
    crowd.connections.hold(one, b"first second")
    crowd.connections.take(one, 5)
    crowd.moves(one, Stage.ANSWERING)
    crowd.connections.remove(one)
    crowd.connections.remove(one)
    crowd.connections.let_go(one)
    assert (one.stage, crowd.connections.held_bytes) == (Stage.CLOSED, 0)


def test_bytes_are_held_until_they_are_answered_or_their_connection_is_gone(crowd: Crowd) -> None:
    one, other = crowd.comes(), crowd.comes()
    crowd.connections.hold(one, b"first second")
    crowd.connections.hold(other, b"third")
    assert crowd.connections.take(one, 5) == b"first"
    assert crowd.connections.held_bytes == 17
    crowd.connections.let_go(one)
    assert crowd.connections.held_bytes == 12
    crowd.connections.remove(one)
    crowd.connections.remove(other)
    assert crowd.connections.held_bytes == 0


def test_overdue_are_those_of_a_stage_that_began_before(crowd: Crowd) -> None:
    first, second = crowd.comes(), crowd.comes()
    crowd.comes(stage=Stage.IDLE)
    assert crowd.connections.overdue(Stage.ARRIVING, first.since) == []
    assert crowd.connections.overdue(Stage.ARRIVING, second.since) == [first]
    crowd.moves(first, Stage.ARRIVING)
    assert crowd.connections.overdue(Stage.ARRIVING, first.since) == [second]


def test_a_renamed_connection_counts_at_its_new_address_alone(crowd: Crowd) -> None:
    first, second = crowd.comes(""), crowd.comes("")
    for each in (first, second):
        crowd.connections.rename(each, "192.0.2.7")
    crowd.comes("192.0.2.7")
    assert crowd.connections.one_too_many(crowd.comes("192.0.2.7")) is first
    crowd.connections.rename(first, "")
    assert crowd.connections.one_too_many(crowd.comes("")) is None
