"""Serves a work of bench/peers by a framework of Python: python3 python.py FRAMEWORK WORK.

It speaks as the server processes of package cpu do: it prints the address that it listens on, answers each line on its
standard input by what it has used up, and ends with the end of the input. Each framework is used as its documentation
shows it, on a server that its documentation names for production: waitress for Flask and Django, uvicorn for FastAPI.
"""

import json
import logging
import os
import resource
import socket
import sys
import threading

GREETING = "Hello, World!"

# Seconds that a connection may wait while others have their turn.
PATIENCE = 3600


def flask(work):
    from flask import Flask, Response

    app = Flask(__name__)
    if work == "plain":

        @app.get("/plain")
        def plain():
            return Response(GREETING, mimetype="text/plain")

    else:

        @app.get("/json")
        def message():
            return {"message": GREETING}

    return app


def django(work):
    import django as framework
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse
    from django.urls import path

    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="of no use here",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # it says how long an answer is
        LOGGING_CONFIG=None,
    )
    framework.setup()
    global urlpatterns
    if work == "plain":
        urlpatterns = [path("plain", lambda request: HttpResponse(GREETING, content_type="text/plain"))]
    else:
        urlpatterns = [path("json", lambda request: JsonResponse({"message": GREETING}))]
    return get_wsgi_application()


def fastapi(work):
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI()
    if work == "plain":

        @app.get("/plain", response_class=PlainTextResponse)
        async def plain():
            return GREETING

    else:

        @app.get("/json")
        async def message():
            return {"message": GREETING}

    return app


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    resident = {}
    with open("/proc/self/status") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                resident[name] = int(value.split()[0]) << 10
    return {
        "User": int(used.ru_utime * 1e9),
        "System": int(used.ru_stime * 1e9),
        "PeakRSS": resident["VmHWM"],
        "RSS": resident["VmRSS"],
    }


def answer_questions():
    for _ in sys.stdin:
        print(json.dumps(usage()), flush=True)
    os._exit(0)


def main():
    framework, work = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    build = {"flask": flask, "django": django, "fastapi": fastapi}[framework]
    app = build(work)
    logging.disable()
    host, port = listener.getsockname()
    print(json.dumps("%s:%d" % (host, port)), flush=True)
    threading.Thread(target=answer_questions, daemon=True).start()
    if framework == "fastapi":
        import uvicorn

        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_keep_alive=PATIENCE)).run(sockets=[listener])
    else:
        import waitress

        waitress.serve(app, sockets=[listener], channel_timeout=PATIENCE, _quiet=True)


main()
