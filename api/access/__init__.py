"""Who may do what: keys of programs, people with passwords, and the rule of each route."""
