"""The restored shop, S3 with scripts in memory, and the verbs that the stories are told with."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, cast

from tests.unit.operations import REQUEST
from utils.aws.s3 import S3Gateway, Script
from utils.database.access.script_login import ScriptWork, script_login
from utils.database.before_opening.scripts import BeforeOpeningOutcome, run_before_opening
from utils.database.rights.arrangement import prepare_for_scripts
from utils.database.server.connection import Master
from utils.request.model import RestoreRequest


def script(name: str, **other: Any) -> dict[str, Any]:
    """Make an element of post_restore_sql."""
    return {"s3_uri": f"s3://scripts/{name}", "database": "shop"} | other


def check(sql: str, **other: Any) -> dict[str, Any]:
    """Make an element of checks."""
    return {"name": "the check", "database": "shop", "sql": sql} | other


@dataclass
class World:
    master: Master
    scripts: dict[str, str] = field(default_factory=dict)

    def run(self, sql: str) -> None:
        """Change the database as the master."""
        with self.master.in_database("shop") as connection:
            connection.cursor().execute(sql)

    def ask(self, sql: str) -> Any:
        """Return one value."""
        with self.master.in_database("shop") as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            (value,) = cursor.fetchone() or (None,)
            return value

    def people(self) -> list[str]:
        """Return the names in the table of the tests."""
        return list(self.ask("SELECT coalesce(array_agg(name ORDER BY id), '{}') FROM scratch.people"))

    def request(self, *scripts: dict[str, Any], checks: list[dict[str, Any]] | None = None) -> RestoreRequest:
        return RestoreRequest.model_validate(REQUEST | {"post_restore_sql": list(scripts), "checks": checks or []})

    def before_opening(
        self, *scripts: dict[str, Any], checks: list[dict[str, Any]] | None = None, **how: Any
    ) -> BeforeOpeningOutcome:
        """Run scripts and checks."""
        request = self.request(*scripts, checks=checks)
        roles = [wanted.user for wanted in request.post_restore_sql if wanted.user]
        work = ScriptWork(databases=["shop"], roles=roles, run=lambda _: None)
        prepare_for_scripts(self.master, [], work.databases, [], lambda _: None)
        with script_login(self.master, work, lock_pid=0) as login:
            return run_before_opening(self.master, login, request, cast("S3Gateway", self), **how)

    def script(self, s3_uri: str) -> Script:
        """Stand in for S3."""
        text = self.scripts[s3_uri.removeprefix("s3://scripts/")]
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Script(s3_uri=s3_uri, version_id="v1", sha256=digest, text=text)


ROUTINES = """
-- a comment; with a semicolon
CREATE FUNCTION scratch.f() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    IF true THEN RETURN 'a;b' || $$;$$; END IF; -- COMMIT;
END
$body$;

CREATE OR REPLACE PROCEDURE scratch.p(n int) LANGUAGE sql
BEGIN ATOMIC
    UPDATE scratch.people SET name = CASE WHEN id = n THEN 'x' ELSE name END;
    DELETE FROM scratch.people WHERE id = 99;
END;

/* one /* nested; */ still; */ SELECT ';', E'it\\'s;', "odd;name" FROM (SELECT 1 AS "odd;name") AS t;;
CREATE RULE r AS ON DELETE TO scratch.people DO INSTEAD (SELECT 1; SELECT 2);
SELECT 1 AS begin, 2 AS "end"
"""
