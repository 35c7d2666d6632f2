//! Nodes below `/zstack` whose address was given without it, or the other way round.
//!
//! The program tries the other base when the answer is not that of a node, and stores the result in a file: one line
//! for each base that has to be switched.

use std::path::{Path, PathBuf};

use crate::client::Endpoint;
use crate::config::{Address, Folders, lock_folder, read_private, write_private};
use crate::error::Error;

/// The maximum number of stored bases.
const MOST: usize = 100;

/// The bases that have to be switched.
pub(super) struct TurnedBases {
    file: Option<PathBuf>,
    /// The content of the file, once it was read.
    known: Option<Vec<String>>,
}

impl TurnedBases {
    /// The bases stored in the state directory.
    pub(super) fn new(folders: Option<&Folders>) -> TurnedBases {
        TurnedBases { file: folders.map(|folders| folders.state.join("bases").join("turned")), known: None }
    }

    /// The endpoint of an address, with or without `/zstack` as found before.
    pub(super) fn endpoint_of(&mut self, address: &Address) -> Result<Endpoint, Error> {
        let typed = typed_endpoint(address)?;
        let other = typed.other_way().filter(|_| self.known().iter().any(|base| base == typed.base()));
        Ok(other.unwrap_or(typed))
    }

    /// Stores the base of the node at an address.
    pub(super) fn remember(&mut self, address: &Address, right: &Endpoint) -> Result<(), Error> {
        let typed = typed_endpoint(address)?;
        // Another process may have added lines.
        let _lock = self.file.as_deref().and_then(Path::parent).map(lock_folder);
        self.known = None;
        let mut bases = self.known().to_vec();
        bases.retain(|base| base != typed.base());
        if right != &typed {
            bases.push(typed.base().to_owned());
        }
        bases.drain(..bases.len().saturating_sub(MOST));
        if let Some(file) = &self.file {
            // If the file cannot be written, the base is looked for again next time.
            let text: String = bases.iter().map(|base| format!("{base}\n")).collect();
            let _ = write_private(file, text.as_bytes());
        }
        self.known = Some(bases);
        Ok(())
    }

    /// The typed bases that have to be switched. If the file cannot be read, they are looked for again.
    fn known(&mut self) -> &[String] {
        self.known.get_or_insert_with(|| {
            let bytes = self.file.as_ref().and_then(|file| read_private(file).ok().flatten()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
        })
    }
}

/// The endpoint of an address as it was given.
fn typed_endpoint(address: &Address) -> Result<Endpoint, Error> {
    Ok(match address {
        Address::Url(url) => Endpoint::parse(url)?,
        Address::Host { host, port } => Endpoint::of_host(host, *port)?,
    })
}
