//! Pages over the ports.
