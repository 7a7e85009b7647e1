"""`serve`: the HTTP API and the live page."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import stored_dsn


def serve(
    dsn: options.Dsn = None,
    host: Annotated[
        str, typer.Option(envvar="STACKWATT_HTTP_BIND", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="STACKWATT_HTTP_PORT", help="Port to listen on.")] = 8080,
    admin_key: options.AdminKey = None,
    tls_cert: Annotated[
        Path | None, typer.Option(envvar="STACKWATT_TLS_CERT", help="Certificate, PEM [default: plain HTTP].")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar="STACKWATT_TLS_KEY", help="Key of the certificate, PEM.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(envvar="STACKWATT_TLS_CLIENT_CA", help="Let in only clients of this authority."),
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option(envvar="STACKWATT_TRUSTED_PROXIES", help="Addresses or networks, joined by commas."),
    ] = None,
    proxy_user_header: Annotated[
        str | None,
        typer.Option(envvar="STACKWATT_PROXY_USER_HEADER", help="Header in which they name the user."),
    ] = None,
    proxy_scopes: Annotated[
        str | None,
        typer.Option(envvar="STACKWATT_PROXY_SCOPES", help="*=read; anna=read,operate@mill"),
    ] = None,
) -> None:
    """Run the service until SIGTERM."""
    from service.main import run
    from service.proxies import proxies_of
    from service.tls import tls_of

    logging.basicConfig(level=logging.INFO, format=options.LOG_FORMAT)
    tls = tls_of(tls_cert, tls_key, tls_client_ca)
    proxies = proxies_of(trusted_proxies, proxy_user_header, proxy_scopes)
    serving = run(stored_dsn(dsn), host, port, admin_key, tls=tls, proxies=proxies)
    raise typer.Exit(asyncio.run(serving))
