"""What makes an UPDATE or DELETE of a script leave rows out, or as they were, without a word to the script."""

from utils.database.health.question import PEOPLES, Look
from utils.operation.model import Verdict

# Sets columns to the time and gives the row on: nearly every database has such a trigger, and none leaves a row out of
# an UPDATE. To a DELETE the new row is none, and to give that on may leave the old one.
_COLUMN = r'("[^"]+"|\w+)'
_NOW = (
    r"((pg_catalog\.)?(now|(clock|statement|transaction)_timestamp)\(\)|"
    r"(current_timestamp|localtimestamp)(\s*\(\d\))?)"
)
_TIME = (
    rf"\(?({_NOW}|timezone\('[\w/]+'(::text)?,\s*{_NOW}\)|{_NOW}\s+at\s+time\s+zone\s+'[\w/]+')\)?"
    r"(::timestamp(tz)?(\(\d\))?)?"
)
_IS_CHANGED = r"(tg_op\s*=\s*'update'|(new(\.\*)?|row\(new\.\*\))\s+is\s+distinct\s+from\s+(old(\.\*)?|row\(old\.\*\)))"
_STAMPS = rf"(new\.{_COLUMN}\s*:?=\s*{_TIME}\s*;\s*)+"
# The last is what Hasura makes.
_ONLY_STAMPS = (
    rf"^\s*(begin\s+({_STAMPS}|if\s+\(?{_IS_CHANGED}\)?\s+then\s+{_STAMPS}end\s+if\s*;\s*)return\s+new|"
    rf"declare\s+_new\s+record\s*;\s*begin\s+_new\s*:?=\s*new\s*;\s*(_new\.{_COLUMN}\s*:?=\s*{_TIME}\s*;\s*)+"
    r"return\s+_new)\s*;\s*end\s*;?\s*$"
)
# Not in a text: whatever follows in its line has a quote.
_COMMENT = r"--[^\n']*"
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
        # BEFORE (2), for each row (1), of UPDATE (16) or DELETE (8); one of a partition goes with its parent's, which
        # may be disabled alone.
        query=f"""
            SELECT tgrelid::regclass::text || '.' || quote_ident(tgname) FROM pg_trigger
            JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
            JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_language ON pg_language.oid = prolang
            WHERE tgtype & 3 = 3 AND tgtype & 24 <> 0 AND tgenabled IN ('O', 'A') AND NOT tgisinternal
                AND {PEOPLES} AND pronamespace <> 'pg_catalog'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_trigger AS parents
                    WHERE parents.oid = pg_trigger.tgparentid AND parents.tgenabled IN ('O', 'A'))
                AND NOT (lanname = 'plpgsql' AND tgtype & 8 = 0
                    AND regexp_replace(prosrc, $re${_COMMENT}$re$, '', 'g') ~* $re${_ONLY_STAMPS}$re$)
                AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = tgfoid
                    AND deptype = 'e') ORDER BY 1
        """,  # noqa: S608 - constants
    ),
]
