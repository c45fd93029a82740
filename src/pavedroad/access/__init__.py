"""Who may do what: principals, tokens, roles, and the audit log of what was done."""
