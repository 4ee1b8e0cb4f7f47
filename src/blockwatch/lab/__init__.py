"""A simulated censored internet: worlds of scenarios, real servers, a wire that interferes."""
