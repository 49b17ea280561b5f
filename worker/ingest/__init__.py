"""Sources: opened, received, and chosen by failover."""
