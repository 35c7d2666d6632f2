//! Nodes that lie below `/zstack` where an address was given without, or the other way round.
//!
//! Which way is right is found out once, when what answers is no node, and remembered in a file: the bases that are
//! turned, a line each.

use std::path::{Path, PathBuf};

use crate::client::Endpoint;
use crate::config::{Address, Folders, lock_folder, read_private, write_private};
use crate::error::Error;

/// How many bases are remembered.
const MOST: usize = 100;

/// Bases of addresses below or above whose `/zstack` the node lies.
pub(super) struct TurnedBases {
    file: Option<PathBuf>,
    /// What the file holds, once read.
    known: Option<Vec<String>>,
}

impl TurnedBases {
    /// Those that the state directory remembers.
    pub(super) fn new(folders: Option<&Folders>) -> TurnedBases {
        TurnedBases { file: folders.map(|folders| folders.state.join("bases").join("turned")), known: None }
    }

    /// The endpoint of an address, below or above `/zstack` as was found out before.
    pub(super) fn endpoint_of(&mut self, address: &Address) -> Result<Endpoint, Error> {
        let typed = typed_endpoint(address)?;
        let other = typed.other_way().filter(|_| self.known().iter().any(|base| base == typed.base()));
        Ok(other.unwrap_or(typed))
    }

    /// Remembers that the node of an address lies at that base.
    pub(super) fn remember(&mut self, address: &Address, right: &Endpoint) -> Result<(), Error> {
        let typed = typed_endpoint(address)?;
        // Another process may have found out more.
        let _lock = self.file.as_deref().and_then(Path::parent).map(lock_folder);
        self.known = None;
        let mut bases = self.known().to_vec();
        bases.retain(|base| base != typed.base());
        if right != &typed {
            bases.push(typed.base().to_owned());
        }
        bases.drain(..bases.len().saturating_sub(MOST));
        if let Some(file) = &self.file {
            // Where it cannot be written, it is found out again next time.
            let text: String = bases.iter().map(|base| format!("{base}\n")).collect();
            let _ = write_private(file, text.as_bytes());
        }
        self.known = Some(bases);
        Ok(())
    }

    /// The bases as typed that are turned. A file that cannot be read costs another try, and nothing else.
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
