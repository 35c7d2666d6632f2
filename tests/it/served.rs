//! The sandbox, served by the real binary in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::Child;

use crate::harness::{Home, Run};

/// A served sandbox; it ends with this value.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    home: Home,
}

impl Served {
    /// Serves a sandbox with these options besides the port.
    pub(crate) fn start(options: &[&str]) -> Served {
        let home = Home::with_cloud();
        let mut child = home.run(["sandbox", "serve", "--port", "0"].iter().chain(options)).start();
        let mut talk = BufReader::new(child.stderr.take().expect("standard error"));
        let mut line = String::new();
        talk.read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("sandbox: listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        // Read to its end, so that the program never waits for its reader.
        std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::sink()));
        Served { child, url, home }
    }

    /// A run of the binary at another home against this node.
    pub(crate) fn run(&self, home: &Home, words: &[&str]) -> Run {
        home.run(["--url", &self.url].iter().chain(words))
    }

    /// Logs the home in as the administrator.
    pub(crate) fn log_in(&self, home: &Home) {
        self.run(home, &["login", "-q"]).input("password\n").succeeds().stdout("").stderr("");
    }

    /// The files of the node itself.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
