//! The real binary against real sockets: what a user types, and what comes out.
//!
//! Each file is a feature. `harness` runs the binary in an environment of its own; `node` is a small server
//! that records what it is sent and answers what a test tells it to, independent of the program's own sandbox.

mod adversary;
mod bases;
mod batch;
mod batches;
mod calls;
mod chinese;
mod completion;
mod contexts;
mod copies;
mod describe;
mod documents;
mod each;
mod editions;
mod ends;
mod errors;
mod every_api;
mod faults;
mod harness;
mod imports;
mod inspect;
mod interrupts;
mod jobs;
mod language;
mod lines;
mod monitoring;
mod names;
mod node;
mod output;
mod owners;
mod paging;
mod panics;
mod picture;
mod pipelines;
mod prompt;
mod queries;
mod ranges;
mod raw;
mod redirections;
mod relations;
mod screen;
mod secrets;
mod served;
mod sessions;
mod several;
mod several_reads;
mod sql;
mod terminal;
mod transcripts;
mod usage;
mod versions;
mod watching;
