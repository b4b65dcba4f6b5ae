"""Seats: who can take one, which type an automatic choice gives, and moves that work as a whole."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.policies import Capacity, PoolFull, TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Way
from seatkeeper.domain.seats import (
    Buy,
    Move,
    Moves,
    SeatPool,
    Take,
    Wait,
    choose_type,
    decide_arrival,
    decide_moves,
    decide_take,
)

HIGH, LOW = TypeChoice
WAIT, BUY, REFUSE = PoolFull


def pool(seat_type="seat", purchased=10, assigned=0, held=0, **fields):
    fields.setdefault("rank", {"standard": 10, "premium": 20}.get(seat_type, 0))
    if assigned + held > purchased:
        fields.setdefault("state", "over_limit")
    return SeatPool(UUID(int=hash(seat_type) % 2**64), seat_type, purchased=purchased,
                    assigned=assigned, held=held, **fields)  # fmt: skip


@pytest.mark.parametrize(
    ("seats", "occupied", "available"),
    [
        (pool(purchased=10, assigned=6, held=3), 9, 1),
        (pool(purchased=10, assigned=10), 10, 0),
        (pool(purchased=5, assigned=7), 7, 0),  # over the limit: never negative
        (pool(purchased=10, assigned=3, ceiling=5), 3, 2),  # C51: a smaller plan is coming
        (pool(purchased=10, assigned=6, ceiling=5), 6, 0),
    ],
)
def test_s1_what_is_occupied_and_available(seats, occupied, available):
    assert (seats.occupied, seats.available) == (occupied, available)


@pytest.mark.parametrize(
    "wrong",
    [
        {"purchased": -1},
        {"assigned": -1},
        {"held": -1},
        {"purchased": 1, "assigned": 2, "state": "open"},
    ],
)
def test_a18_a_pool_that_cannot_be_is_not_made(wrong):
    with pytest.raises(AssertionError):
        pool(**wrong)


@pytest.mark.parametrize(
    ("seats", "quantity", "code", "facts"),
    [
        (None, 1, Code.SEAT_TYPE_NOT_OWNED, {"seat_type": "seat"}),  # A17
        (pool(purchased=0), 1, Code.SEAT_TYPE_NOT_OWNED, {}),
        (pool(purchased=10, assigned=8, held=1), 3, Code.INSUFFICIENT_SEATS,
         {"needed": 2, "seats_quantity": 12}),  # 9 + 3 of 10
        (pool(purchased=0, assigned=2), 1, Code.OVER_LIMIT, {"needed": 3}),
        (pool(purchased=5, assigned=7), 1, Code.OVER_LIMIT, {"needed": 3}),  # 7 + 1 of 5
        (pool(purchased=10, assigned=5, ceiling=5), 1, Code.OVER_LIMIT, {"needed": 1}),
        (pool(purchased=5, assigned=5, capacity=Capacity.PLAN_LIMIT), 1, Code.OVER_PLAN_LIMIT,
         {"needed": 1, "limit": 5, "count": 5}),
        (pool(purchased=5, assigned=5, capacity=Capacity.MEMBERSHIP_LIMIT), 2,
         Code.OVER_PLAN_LIMIT, {"needed": 2}),
    ],
)  # fmt: skip
def test_a45_a51_c22_c29_c45_why_seats_cannot_be_taken(seats, quantity, code, facts):
    refused = decide_take(seats, quantity, seat_type="seat")
    assert isinstance(refused, Refusal)
    assert refused.code is code
    assert {name: refused.facts[name] for name in facts} == facts
    assert refused.sentence


def test_a18_seats_that_are_free_can_be_taken():
    seats = pool(purchased=10, assigned=8)
    assert decide_take(seats, 2, seat_type="seat") == Take(seats, 2)


@pytest.mark.parametrize(
    ("seats", "ways"),
    [
        (pool(purchased=1, assigned=1), [Way.BUY_SEATS, Way.FREE_SEAT]),
        (pool(purchased=1, held=1), [Way.BUY_SEATS, Way.FREE_SEAT, Way.REVOKE_INVITATION]),
        (pool(purchased=1, assigned=1, held=1), [Way.FREE_SEAT, Way.REVOKE_INVITATION]),
        (None, [Way.CORRECT_REQUEST, Way.CHOOSE_PLAN]),
        (pool(purchased=0), [Way.BUY_SEATS]),
        (pool(purchased=0, assigned=1), [Way.CHOOSE_PLAN]),  # lapsed: a freed seat is none to take
        (pool(purchased=1, held=1, capacity=Capacity.PLAN_LIMIT),
         [Way.CHOOSE_PLAN, Way.FREE_SEAT, Way.REVOKE_INVITATION]),
    ],
)  # fmt: skip
def test_c47_g19_the_ways_out_of_a_shortage(seats, ways):
    refused = decide_take(seats, 1, seat_type="seat")
    assert isinstance(refused, Refusal)
    assert [remedy.way for remedy in refused.ways_out] == ways


PAIR = (pool("standard", 5, 2), pool("premium", 5, 2))
FULL = (pool("standard", 2, 2), pool("premium", 2, 2))


@pytest.mark.parametrize(
    ("pools", "choice", "wanted", "expected"),
    [
        (PAIR, HIGH, None, "premium"),  # A70
        (PAIR, LOW, None, "standard"),  # A57
        ((PAIR[0], FULL[1]), HIGH, None, "standard"),  # the highest that is free
        ((FULL[0], PAIR[1]), LOW, None, "premium"),
        ((PAIR[0], FULL[1]), HIGH, "premium", None),  # A72: a wanted type is not replaced
        (PAIR, LOW, "premium", "premium"),
        (FULL, HIGH, None, None),
        ((), HIGH, None, None),
        ((pool("b"), pool("a")), HIGH, None, "a"),  # equal ranks go by key
        ((pool("b"), pool("a")), LOW, None, "a"),
    ],
)
def test_a57_a70_a72_s12_which_type_an_automatic_choice_gives(pools, choice, wanted, expected):
    for order in permutations(pools):
        chosen = choose_type(order, choice, wanted)
        assert (chosen and chosen.seat_type) == expected


LIMITED = (pool("standard", 2, 2, capacity=Capacity.PLAN_LIMIT),)
NEVER_BOUGHT = (pool("standard", 0), pool("premium", 1, 1))


@pytest.mark.parametrize(
    ("pools", "full", "wanted", "expected"),
    [
        (PAIR, WAIT, None, "premium"),
        (FULL, WAIT, None, Wait()),  # A66
        (FULL, WAIT, "premium", Wait()),
        ((), WAIT, None, Wait()),  # nothing is bought yet
        (FULL, WAIT, "gold", Code.SEAT_TYPE_NOT_OWNED),  # nobody waits for what there is not
        (FULL, BUY, None, Buy("standard", 1)),  # A58
        (FULL, BUY, "premium", Buy("premium", 1)),
        (NEVER_BOUGHT, BUY, None, Buy("premium", 1)),
        (NEVER_BOUGHT, BUY, "standard", Code.SEAT_TYPE_NOT_OWNED),
        (LIMITED, BUY, None, Code.OVER_PLAN_LIMIT),  # money does not lift a limit
        ((pool("standard", 1, 2),), BUY, None, Code.OVER_LIMIT),  # S-2
        (FULL, BUY, "gold", Code.SEAT_TYPE_NOT_OWNED),
        (FULL, REFUSE, None, Code.INSUFFICIENT_SEATS),  # C31
        ((), REFUSE, None, Code.SEAT_TYPE_NOT_OWNED),
    ],
)
def test_a58_a66_c31_what_happens_to_who_comes_in(pools, full, wanted, expected):
    decided = decide_arrival(tuple(pools), HIGH, full, wanted)
    match decided:
        case Take():
            assert decided.pool.seat_type == expected
        case Refusal():
            assert decided.code is expected
        case _:
            assert decided == expected


ANN, BOB, EVE = UUID(int=1), UUID(int=2), UUID(int=3)
TIGHT = {"standard": pool("standard", 1, 1), "premium": pool("premium", 1, 1)}
SEATED = {ANN: "standard", BOB: "premium", EVE: None}


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([(ANN, "premium"), (BOB, "standard")], {"standard": 0, "premium": 0}),  # A47
        ([(ANN, None)], {"standard": -1}),
        ([(ANN, None), (EVE, "standard")], {"standard": 0}),
        ([(ANN, "standard")], {}),  # A44
        ([(EVE, None)], {}),
        ([(EVE, "standard")], Code.INSUFFICIENT_SEATS),  # A45
        ([(ANN, "premium")], Code.INSUFFICIENT_SEATS),
        ([(EVE, "gold")], Code.SEAT_TYPE_NOT_OWNED),
        ([(ANN, None), (ANN, "premium")], Code.INVALID_REQUEST),
        ([(UUID(int=9), "standard")], Code.NOT_FOUND),
        ([], {}),
    ],
)
def test_a42_a48_s5_moves_work_as_a_whole(moves, expected):
    decided = decide_moves(TIGHT, SEATED, tuple(Move(*move) for move in moves))
    if isinstance(decided, Refusal):
        assert decided.code is expected
    else:
        assert decided.deltas == expected


def test_s2_a_swap_is_possible_over_the_limit_and_one_more_seat_is_not():
    pools = {"standard": pool("standard", 1, 2), "premium": pool("premium", 2, 1)}
    seats = {ANN: "standard", BOB: "standard", EVE: "premium"}
    swap = (Move(ANN, "premium"), Move(EVE, "standard"))
    assert isinstance(decide_moves(pools, seats, swap), Moves)
    refused = decide_moves(pools, seats, (Move(EVE, "standard"),))
    assert isinstance(refused, Refusal)
    assert refused.code is Code.OVER_LIMIT


def test_moving_within_a_type_that_is_gone_is_refused():
    refused = decide_moves({}, {ANN: "old", BOB: None}, (Move(ANN, None), Move(BOB, "old")))
    assert isinstance(refused, Refusal)
    assert refused.code is Code.SEAT_TYPE_NOT_OWNED


@given(st.data())
def test_s1_no_batch_of_moves_oversells(data):
    types = ("standard", "premium")
    people = [UUID(int=n) for n in range(6)]
    seats = {p: data.draw(st.sampled_from([None, *types])) for p in people}
    pools = {}
    for key in types:
        taken = sum(seat == key for seat in seats.values())
        pools[key] = pool(key, taken + data.draw(st.integers(0, 2)), taken)
    movers = data.draw(st.lists(st.sampled_from(people), unique=True))
    moves = tuple(Move(p, data.draw(st.sampled_from([None, *types]))) for p in movers)
    decided = decide_moves(pools, seats, moves)
    after = {**seats, **{move.member: move.to for move in moves}}
    fits = all(sum(seat == key for seat in after.values()) <= pools[key].purchased for key in types)
    assert isinstance(decided, Moves) == fits
