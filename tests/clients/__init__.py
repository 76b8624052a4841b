"""The OpenAPI document as others use it: linted, and made into clients that go a whole journey."""
