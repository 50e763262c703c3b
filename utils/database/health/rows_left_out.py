"""What makes an UPDATE or DELETE of a script leave rows out, or as they were, without a word to the script."""

from utils.database.health.question import PEOPLES, Look
from utils.operation.model import Verdict

# Sets columns to the time and gives the row on: nearly every database has such a trigger, and none leaves a row out.
_ONLY_STAMPS = (
    r"^\s*begin(\s+new\.\w+\s*:?=\s*(now\(\)|current_timestamp|localtimestamp|"
    r"(clock|statement|transaction)_timestamp\(\))\s*;)+\s*return\s+new\s*;\s*end\s*;?\s*$"
)
LEFT_OUT_OF_SCRIPTS = [
    Look(
        what="rules in place of a script's UPDATE or DELETE: check the rows",
        verdict=Verdict.FOR_A_PERSON,
        query=f"""
            SELECT ev_class::regclass::text || '.' || quote_ident(rulename) FROM pg_rewrite
            JOIN pg_class ON pg_class.oid = ev_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE is_instead AND ev_type IN ('2', '4') AND ev_enabled IN ('O', 'A') AND relkind IN ('r', 'p')
                AND {PEOPLES} ORDER BY 1
        """,  # noqa: S608 - constants
    ),
    Look(
        what="triggers that may leave rows out of a script's UPDATE or DELETE: check the rows",
        verdict=Verdict.FOR_A_PERSON,
        # BEFORE (2), for each row (1), of UPDATE (16) or DELETE (8); one of a partition has a parent.
        query=f"""
            SELECT tgrelid::regclass::text || '.' || quote_ident(tgname) FROM pg_trigger
            JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
            JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_language ON pg_language.oid = prolang
            WHERE tgtype & 3 = 3 AND tgtype & 24 <> 0 AND tgenabled IN ('O', 'A') AND NOT tgisinternal
                AND tgparentid = 0 AND {PEOPLES} AND pronamespace <> 'pg_catalog'::regnamespace
                AND NOT (lanname = 'plpgsql' AND prosrc ~* '{_ONLY_STAMPS}')
                AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = tgfoid
                    AND deptype = 'e') ORDER BY 1
        """,  # noqa: S608 - constants
    ),
]
