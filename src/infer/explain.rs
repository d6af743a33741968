//! Class activation maps: where in the photo the evidence for an area lies.
