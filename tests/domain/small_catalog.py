"""A small catalog with one plan of each kind, and a way to change one place of it."""

import copy
from typing import Any

GONE = object()

SMALL: dict[str, Any] = {
    "catalog": "shop",
    "name": "Shop",
    "default_plan": "free",
    "plans": {
        "free": {
            "name": "Free",
            "capacity": "membership_limit",
            "seat_types": {"member": {"name": "Member"}},
        },
        "pro": {
            "name": "Pro",
            "limit": 50,
            "seat_types": {"basic": {"name": "Basic"}, "full": {"name": "Full", "rank": 5}},
            "prices": {
                "monthly": {
                    "currency": "EUR",
                    "per": "month",
                    "base_minor": 2000,
                    "seats": {
                        "basic": {"included": 5, "unit_minor": 500},
                        "full": {"tiers": [{"up_to": 5, "flat_minor": 1000}, {"unit_minor": 700}]},
                    },
                },
            },
        },
        "old": {
            "name": "Old",
            "closed": True,
            "seat_types": {"seat": {"name": "Seat"}},
            "prices": {
                "yearly": {"currency": "EUR", "per": "year", "seats": {"seat": {"unit_minor": 1}}}
            },
            "transition_to": "pro",
            "successors": {"seat": "basic"},
        },
    },
}


def edited(path, value, document=SMALL):
    """A copy of a document with one place set to a value, or taken out."""
    whole = copy.deepcopy(document)
    place = whole
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        place = place[part]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return whole
