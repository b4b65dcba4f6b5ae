"""More mutants: of discounts, and of what is off the lines."""

from tests.invariants.mutants import mutant

LIVE = "(select discount_id from discount where ended_at is null)"

DISCOUNTS = (
    mutant(
        "discounts_stand",
        "it counts a period less than it was off",
        f"""update discount set used = used - 1 where discount_id in {LIVE}
            returning organization_id, discount_id""",
    ),
    mutant(
        "discounts_stand",
        "off more periods than were granted",
        "alter table discount drop constraint discount_not_overused",
        """update discount set used = periods + 1 where periods is not null
           returning organization_id, discount_id""",
    ),
    mutant(
        "discounts_stand",
        "two at a time",
        "drop index discount_once",
        f"""insert into discount (organization_id, discount_id, subscription_id, basis_points,
                amount_minor, created_at, version)
            select organization_id, gen_random_uuid(), subscription_id, 1, 0, created_at, 99
              from discount where discount_id in {LIVE}""",
        f"""select organization_id, discount_id from discount where discount_id in {LIVE}""",
    ),
    mutant(
        "discounts_stand",
        "in force on a subscription that has ended",
        f"""update subscription set status = 'ended', due_at = null, ended_at = started_at
             where subscription_id in (select subscription_id from discount
                where discount_id in {LIVE}) returning organization_id, subscription_id""",
    ),
    mutant(
        "discounts_stand",
        "more off what is bought now than off the period",
        """update subscription set discount_basis_points = 5000 where subscription_id in (
             select subscription_id from subscription where discount_basis_points > 0
              order by 1 limit 1)
           returning organization_id, subscription_id""",
    ),
    mutant(
        "discounted_lines",
        "one line of a discounted period at full price",
        """update invoice_line set discount_basis_points = 0 where (invoice_id, line_number) in (
             select invoice_id, line_number from invoice_line
              where discount_basis_points > 0 and kind = 'seats' order by 1, 2 limit 1)
           returning organization_id, period_starts_at""",
    ),
    mutant(
        "discounted_lines",
        "a fixed amount off twice",
        """update invoice_line set discount_fixed_minor = discount_fixed_minor + 1
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
                where discount_fixed_minor > 0 and kind = 'base' order by 1, 2 limit 1)
           returning organization_id, period_starts_at""",
    ),
    mutant(
        "discounted_lines",
        "something off that nobody granted",
        """update invoice_line set discount_basis_points = 1000 where (invoice_id, line_number) in (
             select invoice_id, line_number from invoice_line l where not exists (
                select from discount d where d.organization_id = l.organization_id)
              order by 1, 2 limit 1)
           returning organization_id, period_starts_at""",
    ),
    mutant(
        "line_amounts",
        "a discount rounded instead of the charge",
        """update invoice_line set amount_minor = amount_minor + 1
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
              where discount_basis_points > 0 and kind = 'base' order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "invoice_hashes",
        "an edited discount",
        """update invoice_line set discount_basis_points = 1 where (invoice_id, line_number) in (
             select invoice_id, line_number from invoice_line where kind = 'base'
              order by 1, 2 limit 1)
           returning organization_id, invoice_id""",
    ),
)
