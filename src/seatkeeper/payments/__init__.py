"""Payment rails: ours is the ledger, a provider only moves the money."""
