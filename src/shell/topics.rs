//! The topics that `help` knows besides APIs.

/// A topic of `help`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Topic {
    /// What the user types after `help`.
    pub(crate) name: &'static str,
    /// What it is about, in a few words.
    pub(crate) summary: &'static str,
}

const fn topic(name: &'static str, summary: &'static str) -> Topic {
    Topic { name, summary }
}

/// All topics.
pub(crate) const TOPICS: [Topic; 8] = [
    topic("query", "conditions, operators and shaping the answer"),
    topic("values", "how values are written"),
    topic("output", "formats, columns, filters"),
    topic("contexts", "saved nodes and accounts"),
    topic("shell", "keys, completion, history"),
    topic("sandbox", "the embedded management node"),
    topic("exit-codes", "what the exit status says"),
    topic("secrets", "what is masked, and where"),
];
