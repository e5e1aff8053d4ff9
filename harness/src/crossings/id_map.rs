//! Maps and sets by ids. Ids are random already, and millions of them are looked up: a fast hash suffices.
//!
//! It does not protect against chosen keys: evidence that makes lookups slow makes only its own judging slow. It has no
//! seed, so that the same evidence gives the same order in every run.

pub type IdMap<K, V> = rustc_hash::FxHashMap<K, V>;
pub type IdSet<K> = rustc_hash::FxHashSet<K>;
