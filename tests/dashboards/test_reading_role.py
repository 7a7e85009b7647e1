"""The views on a database whose owner may not make roles, as managed ones are."""

import secrets

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.postgres import PostgresServer
from ingest.store.migrations import migrate


async def test_an_owner_who_may_not_make_roles_migrates_all_the_same(
    empty_dsn: str, migrated_template: str
) -> None:
    owner = sql.Identifier(name := f"stackwatt_owner_{secrets.token_hex(4)}")
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(owner))
        try:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, owner))
            connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner))
            assert "0033_views" in await migrate(make_conninfo(empty_dsn, options=f"-c role={name}"))
            may = "SELECT has_table_privilege('stackwatt_read', 'board.site', 'SELECT')"
            assert connection.execute(may).fetchone() == (True,)
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(database))
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(owner))
            connection.execute(sql.SQL("DROP ROLE {}").format(owner))


async def test_where_there_is_no_role_the_owner_lets_one_read_later(database_server: PostgresServer) -> None:
    dsn = database_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain")
        connection.execute("GRANT ALL ON SCHEMA public TO plain")
        connection.execute(
            sql.SQL("GRANT CREATE ON DATABASE {} TO plain").format(sql.Identifier(connection.info.dbname))
        )
        assert "0033_views" in await migrate(make_conninfo(dsn, options="-c role=plain"))
        role = "SELECT count(*) FROM pg_roles WHERE rolname = 'stackwatt_read'"
        assert connection.execute(role).fetchone() == (0,)
        connection.execute("CREATE ROLE stackwatt_read")
        connection.execute("SET ROLE plain")
        connection.execute("SELECT board.grant_read('stackwatt_read')")
        connection.execute("RESET ROLE")
        connection.execute("SET ROLE stackwatt_read")
        assert connection.execute("SELECT * FROM board.kpi_now").fetchall() == []
