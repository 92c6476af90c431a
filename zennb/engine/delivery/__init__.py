"""Messages to services outside of this process: alerts, and the outbox for what was not delivered."""
