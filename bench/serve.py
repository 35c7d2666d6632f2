#!/usr/bin/env python3
"""Answers every request with the same file: serve.py FILE. Prints the port it listens on.

The kernel copies the file (sendfile), so that a measurement shows its reader and not this server.
"""

import os
import socket
import sys
import threading


def serve(connection: socket.socket, path: str) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, open(path, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                received = connection.recv(65536)
                if not received:
                    return
                waiting += received
            # Only GETs come, so a request ends with its headers.
            waiting = waiting.split(b"\r\n\r\n", 1)[1]
            if length < 65536:
                connection.sendall(head + os.pread(file.fileno(), length, 0))
                continue
            connection.sendall(head)
            at = 0
            while at < length:
                at += os.sendfile(connection.fileno(), file.fileno(), at, length - at)


def answer(connection: socket.socket, path: str) -> None:
    try:
        serve(connection, path)
    except OSError:
        # Whoever asked has left.
        pass


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, sys.argv[1]), daemon=True).start()


main()
