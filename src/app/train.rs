//! `train`: filled in when the engine lands.
