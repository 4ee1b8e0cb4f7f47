"""The one place that touches the network: seam, failures, TLS, DNS, HTTP, flows."""
