"""The service's configuration of gunicorn, with short deadlines."""

import os
import runpy

from hate_speech import server

globals().update({name: value for name, value in runpy.run_path(os.environ["CONFIGURATION"]).items() if name[0] != "_"})
server.HEAD_SECONDS, server.BODY_SECONDS, server.ANSWER_SECONDS, server.LINGER_SECONDS = 1, 2, 2, 1
worker_connections = 100
