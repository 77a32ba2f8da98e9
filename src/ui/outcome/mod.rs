//! How each verb's outcome looks, one file a verb.

mod path;
