//! In-memory versions of the ports.
