"""Everything that is configurable of a cluster, its members and what hangs on them; needs no AWS SDK."""
