"""A web server for the script of attack 1.7, on which every response is 1 MB."""

import http.server
import threading

BODY = b"x" * 1_000_000


class _Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_arguments):
        pass


def serve(address):
    """Serves on a thread of its own, and returns the port."""
    server = http.server.ThreadingHTTPServer((address, 0), _Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
