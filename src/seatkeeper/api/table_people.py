"""The people's side of the operations table: members, roles, invitations, seat requests."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.members import Permission
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import acceptance, invitations, members, people, roles, seat_requests
from seatkeeper.operations.words import Page

ORG: Final = "/v1/organizations/{organization}"
MEMBER: Final = f"{ORG}/members/{{member}}"
INVITATION: Final = f"{ORG}/invitations/{{invitation}}"

MEMBERS: Final = (
    Operation(
        "GET",
        f"{ORG}/members",
        Scope.MEMBERS_READ,
        members.list_all,
        members.ListMembers,
        Page[people.Member],
    ),
    Operation(
        "POST",
        f"{ORG}/members",
        Scope.MEMBERS_WRITE,
        members.add,
        members.AddMember,
        people.Member,
        status=201,
        permission=Permission.MEMBERS_MANAGE,
    ),
    Operation("GET", MEMBER, Scope.MEMBERS_READ, members.show, members.ReadMember, people.Member),
    Operation(
        "PATCH",
        MEMBER,
        Scope.MEMBERS_WRITE,
        members.change,
        members.ChangeMember,
        people.Member,
        permission=Permission.MEMBERS_MANAGE,
    ),
    # No permission beside the scope: whoever is a member may leave.
    Operation(
        "DELETE", MEMBER, Scope.MEMBERS_WRITE, members.remove, members.RemoveMember, people.Member
    ),
    Operation(
        "PUT",
        f"{MEMBER}/role",
        Scope.MEMBERS_WRITE,
        roles.change,
        roles.ChangeRole,
        people.Member,
        permission=Permission.MEMBERS_MANAGE,
        tag="members",
    ),
    Operation(
        "PUT",
        f"{ORG}/primary-owner",
        Scope.MEMBERS_WRITE,
        roles.transfer,
        roles.TransferPrimaryOwner,
        people.Member,
        permission=Permission.MEMBERS_MANAGE,
        tag="members",
    ),
)

INVITATIONS: Final = (
    Operation(
        "GET",
        f"{ORG}/invitations",
        Scope.MEMBERS_READ,
        invitations.list_all,
        invitations.ListInvitations,
        Page[invitations.Invitation],
        permission=Permission.MEMBERS_MANAGE,
    ),
    Operation(
        "POST",
        f"{ORG}/invitations",
        Scope.MEMBERS_WRITE,
        invitations.create,
        invitations.CreateInvitations,
        invitations.Invitations,
        status=201,
        permission=Permission.MEMBERS_MANAGE,
        tells_secret=True,
    ),
    Operation(
        "GET",
        INVITATION,
        Scope.MEMBERS_READ,
        invitations.show,
        invitations.ReadInvitation,
        invitations.Invitation,
        permission=Permission.MEMBERS_MANAGE,
    ),
    Operation(
        "POST",
        f"{INVITATION}/resend",
        Scope.MEMBERS_WRITE,
        invitations.resend,
        invitations.ResendInvitation,
        invitations.Invited,
        permission=Permission.MEMBERS_MANAGE,
        tells_secret=True,
    ),
    Operation(
        "POST",
        f"{INVITATION}/revoke",
        Scope.MEMBERS_WRITE,
        invitations.revoke,
        invitations.RevokeInvitation,
        invitations.Invitation,
        permission=Permission.MEMBERS_MANAGE,
    ),
    Operation(
        "POST",
        "/v1/invitations/accept",
        Scope.MEMBERS_WRITE,
        invitations.accept,
        acceptance.AcceptInvitation,
        people.Member,
        status=201,
        one_transaction=False,
    ),
)

SEAT_REQUESTS: Final = (
    Operation(
        "GET",
        f"{ORG}/seat-requests",
        Scope.SEATS_READ,
        seat_requests.list_all,
        seat_requests.ListSeatRequests,
        Page[seat_requests.SeatRequest],
        permission=Permission.SEATS_ASSIGN,
    ),
    Operation(
        "POST",
        f"{ORG}/seat-requests",
        Scope.SEATS_ASSIGN,
        seat_requests.request,
        seat_requests.RequestSeat,
        people.Member,
        201,
        permission=Permission.SEATS_ASSIGN,
    ),
    Operation(
        "DELETE",
        f"{ORG}/seat-requests/{{request}}",
        Scope.SEATS_ASSIGN,
        seat_requests.cancel,
        seat_requests.CancelSeatRequest,
        seat_requests.Canceled,
        permission=Permission.SEATS_ASSIGN,
    ),
)

PEOPLE: Final = (*MEMBERS, *INVITATIONS, *SEAT_REQUESTS)
