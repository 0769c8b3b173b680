"""A client of the REST interface: `from gradus.api.client import Client`.

    with Client("http://127.0.0.1:8000", token="gradus_…") as client:
        hard = client.list_difficulty(domain="math", max_rate=0.25)  # a polars frame, of all pages
        counts = client.run_sql(query="SELECT domain, count(*) AS n FROM problems GROUP BY domain")

Every operation of the OpenAPI document is a method of the same name with the same parameters.
"""

from __future__ import annotations

from gradus.api.client_changing import Changing
from gradus.api.client_reading import Reading
from gradus.api.client_transport import ApiError, Event

__all__ = ["ApiError", "Client", "Event"]


class Client(Reading, Changing):
    """One server, and everything that can be asked of it."""
