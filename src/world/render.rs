//! Draws a scene.
