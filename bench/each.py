#!/usr/bin/env python3
"""Measures `each`: each.py BINARY [ROWS [PARALLEL [MILLISECONDS]]].

A node whose jobs take that long runs in a process of its own; the result is the time of the run in relation to
ROWS * MILLISECONDS / PARALLEL.
"""

import asyncio
import multiprocessing.connection
import os
import resource
import subprocess
import sys
import tempfile
import time


async def serve(connection: multiprocessing.connection.Connection, seconds: float) -> None:
    ends: dict[bytes, float] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                if b"content-length:" in lower:
                    length = lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
                    await reader.readexactly(int(length))
                status, body = b"202 Accepted", b"{}"
                if head.startswith(b"GET "):
                    job = head.split(b" ", 2)[1].rsplit(b"/", 1)[1]
                    if time.monotonic() >= ends[job]:
                        status, body = b"200 OK", b'{"inventory":{"uuid":"' + job + b'","name":"x"}}'
                else:
                    job = lower.split(b"x-job-uuid:", 1)[1].split(b"\r\n", 1)[0].strip()
                    ends[job] = time.monotonic() + seconds
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def node(connection: multiprocessing.connection.Connection, seconds: float) -> None:
    asyncio.run(serve(connection, seconds))


def main() -> None:
    binary = os.path.abspath(sys.argv[1])
    rows, parallel, millis = (int(text) for text in (sys.argv[2:] + ["500", "8", "30"][len(sys.argv) - 2 :])[:3])
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=node, args=(there, millis / 1000), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{here.recv()}/zstack"
    with tempfile.TemporaryDirectory() as home:
        names = "".join(f"zone-{number}\n" for number in range(rows))
        environment = {"ZSTACK_CLI_HOME": home, "ZSTACK_SESSION_UUID": "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37"}
        words = [binary, "--url", url, "each", "-p", str(parallel), "--results", "results", "CreateZone name={}"]
        started = time.monotonic()
        done = subprocess.run(words, input=names.encode(), env=environment, cwd=home, stdout=subprocess.PIPE)
        taken = time.monotonic() - started
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0 and done.stdout.count(b'"uuid"') == rows, done
    ideal = rows * millis / 1000 / parallel
    print(f"{rows} rows, -p {parallel}, {millis} ms each: {taken:.2f} s, ideal {ideal:.2f} s, ratio {taken / ideal:.2f}")
    print(f"processor time: {cpu.ru_utime:.2f} s user, {cpu.ru_stime:.2f} s system")


main()
