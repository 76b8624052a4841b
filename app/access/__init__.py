"""Who may do what: clients, tokens, roles."""
