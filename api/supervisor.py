"""Several worker processes on one socket: uvicorn's supervisor, which stops accepting when told to stop."""

from __future__ import annotations

from uvicorn import Config
from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """Starts workers, and again those that end; told to stop, it lets them finish.

    Uvicorn's own keeps the socket open until the last worker ended: who connects meanwhile waits for an
    answer that nobody gives, instead of being refused and trying elsewhere.
    """

    def terminate_all(self) -> None:
        """Close the socket, here and in the workers, which end when their requests are answered."""
        for socket in self.sockets:
            socket.close()
        super().terminate_all()


def supervise(config: Config) -> None:
    """Run `config.workers` workers until a signal says stop."""
    Supervisor(config, sockets=[config.bind_socket()]).run()
