//! The program: reads its arguments and environment once, and calls the library.

use std::ffi::OsString;
use std::process::ExitCode;

use zstack_cli::app;
use zstack_cli::config::Environment;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    app::run(Environment::of_process(), &arguments).into()
}
