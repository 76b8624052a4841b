"""What may arrive at a service that anybody can reach: raw bytes, and everything its own description allows."""
