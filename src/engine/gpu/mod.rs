//! The engine on the graphics device.
