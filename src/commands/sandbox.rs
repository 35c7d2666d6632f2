//! `sandbox serve|reset|seed|path`: the embedded management node from the command line.

use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::client::{Clock, SystemClock};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::sandbox::{self, Database, Fault, Options};

/// How a sandbox is to be served, as typed.
pub(crate) struct Serve<'a> {
    pub(crate) bind: &'a str,
    pub(crate) port: u16,
    pub(crate) edition: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) speed: Option<f64>,
    pub(crate) faults: &'a [String],
    pub(crate) seed: Option<u64>,
}

/// Serves the sandbox of a folder until the user interrupts.
pub(crate) fn serve(
    directory: &Path,
    typed: &Serve<'_>,
    interrupt: &Interrupt,
    talk: &mut dyn Write,
) -> Result<(), Error> {
    let value = |option, problem: String| Error::Option { option, problem };
    let bind: IpAddr = match typed.bind {
        "localhost" => IpAddr::from([127, 0, 0, 1]),
        text => text.parse().map_err(|_| value("bind", format!("{text} is no IP address")))?,
    };
    if typed.speed.is_some_and(|speed| !(speed.is_finite() && speed > 0.0)) {
        return Err(value("speed", "it must be above zero".to_owned()));
    }
    let edition = typed.edition.map(str::parse).transpose();
    let edition = edition.map_err(|error: sandbox::EditionError| value("edition", error.to_string()))?;
    let version = typed.version.map(str::parse).transpose();
    let version = version.map_err(|error: sandbox::VersionError| value("version", error.to_string()))?;
    let faults: Vec<Fault> = typed
        .faults
        .iter()
        .map(|text| text.parse().map_err(|error: sandbox::FaultError| value("fault", error.to_string())))
        .collect::<Result<_, _>>()?;
    let defaults = Options::default();
    let options = Options {
        bind,
        port: typed.port,
        edition: edition.unwrap_or(defaults.edition),
        version,
        database: Database::Directory(directory.to_owned()),
        speed: typed.speed.unwrap_or(defaults.speed),
        faults,
        fault_seed: typed.seed.unwrap_or(defaults.fault_seed),
        ..defaults
    };
    let (stop, stopped) = mpsc::channel();
    let interrupt = interrupt.clone();
    // The signal only sets a flag; somebody has to look at it.
    thread::spawn(move || {
        while SystemClock::new().wait(&interrupt, Duration::MAX, &mut |_| {}) {}
        let _ = stop.send(());
    });
    sandbox::serve(options, talk, &stopped)?;
    Ok(())
}
