"""Small servers on loopback that speak TLS, at once or after STARTTLS."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


def accepting(listener, serve):
    """Serves every connection, one after another, until the listener is closed."""

    def run():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with connection:
                    connection.settimeout(5)
                    serve(connection)
            except OSError:
                pass  # a client that refuses the chain hangs up: that is what is tried here

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def listening(serve):
    """The port of a loopback server that calls `serve(connection)`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = accepting(listener, serve)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def tls(context):
    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return serve


def script(context, *exchanges):
    """Says what it has to say, and starts TLS once it has heard what it waits for."""

    def serve(connection):
        for heard, said in exchanges:
            received = b""
            while len(received) < len(heard):
                received += connection.recv(len(heard) - len(received)) or b"\xff"
            assert received == heard, received
            connection.sendall(said)
        if context is not None:
            tls(context)(connection)

    return serve


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextmanager
def smtp_server(context):
    """Runs on a loop of another thread: this one may have its own, a browser's for example."""
    loop = asyncio.new_event_loop()

    def protocol():
        return SMTP(Sink(), tls_context=context, require_starttls=True, loop=loop)

    def on_loop(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = on_loop(loop.create_server(protocol, "127.0.0.1", 0))
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            on_loop(_ended(server))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server):
    server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
