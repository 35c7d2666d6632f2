//! Options of a sandbox.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::faults::Fault;
use super::offer::{Edition, Version};

/// Where the state of a sandbox is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a directory, which is created if needed.
    Directory(PathBuf),
    /// In memory.
    Memory,
}

/// Options of a sandbox. `Options::default()` is a sandbox in memory on a free loopback port.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on.
    pub bind: IpAddr,
    /// The port; 0 for any free port.
    pub port: u16,
    /// The path before `/v1`, without a slash at its end; empty for none (T1).
    pub context: String,
    /// Which APIs it has.
    pub edition: Edition,
    /// The ZStack version that it simulates, without newer APIs; `None` for 5.2.1 with the APIs of newer versions
    /// added.
    pub version: Option<Version>,
    /// Where the state is stored.
    pub database: Database,
    /// Speed-up factor of jobs and of the fault `slow`. At 1 jobs take tenths of seconds to seconds.
    pub speed: f64,
    /// The kind of fault.
    pub faults: Vec<Fault>,
    /// The random seed of the faults: the same seed and requests give the same faults.
    pub fault_seed: u64,
    /// The base URL in `location` under the fault `location` (J3).
    pub believed_url: String,
    /// The time after its last use at which a session expires (A3).
    pub session_lifetime: Duration,
    /// The maximum number of sessions of a user (A4).
    pub session_limit: u64,
    /// How long the record of a finished job is kept, counted from its request (J5).
    pub job_retention: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            context: "/zstack".to_owned(),
            edition: Edition::default(),
            version: None,
            database: Database::Memory,
            speed: 1.0,
            faults: Vec::new(),
            fault_seed: 0,
            believed_url: "http://mn-1.sandbox.invalid:8080/zstack".to_owned(),
            session_lifetime: Duration::from_secs(7200),
            session_limit: 500,
            job_retention: Duration::from_secs(3 * 3600),
        }
    }
}
