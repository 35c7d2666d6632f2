//! What must hold for any text whatever: one function for each kind of hostile input.
//!
//! Each takes raw input and panics where a property is broken. The fuzz targets call them with what the fuzzer
//! makes up, the property tests beside them with what proptest does; the program itself does not have them.

pub mod command;
pub mod configuration;
pub mod literal;
pub mod query;
pub mod reply;
#[cfg(test)]
mod secret;

/// How a property test runs: the same cases each time. For others, set `PROPTEST_RNG_SEED` and `PROPTEST_CASES`.
#[cfg(test)]
fn config(cases: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, RngSeed};

    let config = Config { failure_persistence: None, ..Config::default() };
    match config.rng_seed {
        RngSeed::Random => Config { rng_seed: RngSeed::Fixed(1), cases, ..config },
        RngSeed::Fixed(_) => config,
    }
}
