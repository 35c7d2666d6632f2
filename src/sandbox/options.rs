//! How a sandbox is to run.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::faults::Fault;
use super::offer::{Edition, Version};

/// Where the state of a sandbox lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a directory, where it survives; the directory is made if there is none.
    Directory(PathBuf),
    /// In memory: it ends with the sandbox.
    Memory,
}

/// How a sandbox is to run. `Options::default()` is a sandbox in memory on a free port of the loopback.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on.
    pub bind: IpAddr,
    /// The port; 0 means any that is free.
    pub port: u16,
    /// The path before `/v1`, without a slash at its end; empty for none (T1).
    pub context: String,
    /// Which APIs it has.
    pub edition: Edition,
    /// The ZStack version that it plays, without what is newer; none plays 5.2.1, and has what newer ones added.
    pub version: Option<Version>,
    /// Where the state lies.
    pub database: Database,
    /// By how much jobs, and the fault `slow`, are faster than usual. Usual are tenths of seconds to seconds.
    pub speed: f64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Where the draws of the faults begin: the same seed and requests give the same trouble.
    pub fault_seed: u64,
    /// The base URL that the node believes to have under the fault `location` (J3).
    pub believed_url: String,
    /// How long a session lives after its last use (A3).
    pub session_lifetime: Duration,
    /// How many sessions a user may have at a time (A4).
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
