//! What stands in a street.
