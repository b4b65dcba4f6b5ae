"""The reference, its middle part: who comes in, goes, is invited, and what that does to seats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tests.model.reference import Invitation, Person, Seats

OWNER = "Owner"


class People(Seats):
    """People and invitations over the seats."""

    def _undoing(self, name: str) -> tuple[Person | None, list[Invitation]]:
        known = self.people.get(name)
        return (
            None if known is None else replace(known),
            [replace(invitation) for invitation in self.invitations],
        )

    def _undo(self, name: str, before: tuple[Person | None, list[Invitation]]) -> None:
        person, self.invitations = before
        if person is None:
            del self.people[name]
        else:
            self.people[name] = person

    def _enter(self, name: str, source: str) -> Person:
        known = self.people.get(name)
        person = Person(source) if known is None else known
        person.source, person.standing = source, "active"
        self.people[name] = person
        return person

    def _pending(self, name: str) -> Invitation | None:
        return next((i for i in self.invitations if i.name == name and i.state == "pending"), None)

    def is_known(self, name: str) -> bool:
        """Whether an address is taken, by a member or by an invitation that waits."""
        person = self.people.get(name)
        live = person is not None and person.standing != "removed"
        return live or self._pending(name) is not None

    def add(self, name: str, source: str, wanted: str | None, *, asked: bool) -> str | None:
        """Someone who is no member becomes one; an invitation that waits for them is used up."""
        before = self._undoing(name)
        person = self._enter(name, source)
        invitation = self._pending(name)
        if invitation is not None:
            held = invitation.held
            # Only a seat in a pool that is not over its limit can be theirs.
            takes = held is not None and not self.is_over(held) and wanted in (None, held)
            invitation.state, invitation.held = "accepted", None
            if takes:
                person.sit(held)
                return None
        refused = self.arrive(name, wanted, asked=asked)
        if refused is not None:
            self._undo(name, before)
            return refused
        self.serve()
        return None

    def remove(self, name: str) -> str | None:
        person = self.people.get(name)
        if person is None or person.standing == "removed":
            return "not_found"
        if name == OWNER:
            return "primary_owner_required"
        self.leave_queue(name)
        person.sit(None)
        person.standing = "removed"
        self.serve()
        return None

    def suspend(self, name: str) -> str | None:
        person = self.people.get(name)
        if person is None or person.standing == "removed":
            return "not_found"
        if person.standing == "suspended":
            return None
        if name == OWNER:
            return "primary_owner_required"
        self.leave_queue(name)
        if person.seat is not None:
            person.suspended_from = person.seat
        person.sit(None)
        person.standing = "suspended"
        self.serve()
        return None

    def reactivate(self, name: str) -> str | None:
        person = self.people.get(name)
        if person is None or person.standing == "removed":
            return "not_found"
        if person.standing == "active":
            return None
        person.standing = "active"
        had = person.suspended_from
        wanted = had if had is not None and self.purchased.get(had, 0) > 0 else None
        refused = self.arrive(name, wanted, asked=had is not None)
        if refused is not None:
            person.standing = "suspended"
        return refused

    # --- invitations --------------------------------------------------------------------------

    def _lives_until(self) -> timedelta:
        return timedelta(days=self.shape.lives_days if self.alive else 21)

    def invite(self, names: Sequence[str], wanted: str | None) -> str | None:
        """All or none."""
        if any(self.is_known(name) for name in names):
            return "already_exists"
        made: list[Invitation] = []
        for name in names:
            held, refused = self._hold(wanted)
            if refused is not None:
                self.invitations = [i for i in self.invitations if i not in made]
                return refused
            made.append(Invitation(name, wanted, held, self.now + self._lives_until()))
            self.invitations.append(made[-1])
        return None

    def _hold(self, wanted: str | None) -> tuple[str | None, str | None]:
        if not self.alive:
            return None, None if wanted is None else "seat_type_not_owned"
        held = self.first_free(highest=False, wanted=wanted)
        return held, None if held is not None else self.why(wanted or self.spoken_of())

    def resend(self, invitation: Invitation) -> str | None:
        if invitation.state not in ("pending", "expired"):
            return "state_conflict"
        if invitation.state == "expired" and self.is_known(invitation.name):
            return "already_exists"
        if invitation.held is None:
            held, refused = self._hold(invitation.wanted)
            if refused is not None:
                return refused
            invitation.held = held
        invitation.state = "pending"
        invitation.expires_at = self.now + self._lives_until()
        return None

    def revoke(self, invitation: Invitation) -> str | None:
        if invitation.state not in ("pending", "revoked"):
            return "state_conflict"
        invitation.state, invitation.held = "revoked", None
        self.serve()
        return None

    def accept(self, invitation: Invitation) -> str | None:
        if invitation.state == "accepted":
            # The same person again: it was so already.
            return None
        if invitation.state != "pending":
            return "invitation_unavailable"
        name, held = invitation.name, invitation.held
        if held is not None and self.is_over(held):
            return "over_limit"
        before = self._undoing(name)
        person = self._enter(name, "invitation")
        invitation.state, invitation.held = "accepted", None
        if held is not None:
            person.sit(held)
            return None
        refused = self.arrive(name, invitation.wanted, asked=False)
        if refused is not None:
            self._undo(name, before)
            return refused
        self.serve()
        return None
