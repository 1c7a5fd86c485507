"""Files sent over HTTP to be tagged: kept, worked on by a process of their own, fetched, and taken away."""
