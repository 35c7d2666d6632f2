//! `catalog list|show|version`: what the program knows of the APIs.

use std::io::{self, Write};

use crate::catalog::{Catalog, Method};
use crate::error::{Error, OwnError};
use crate::json;
use crate::nearness::closest;

/// Lists the APIs, or those whose name holds `part`: name, verb and path, separated by tabs.
pub(crate) fn list(catalog: Catalog, part: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let part = part.unwrap_or_default().to_lowercase();
    for api in catalog.api_names().filter(|api| api.as_str().to_lowercase().contains(&part)) {
        let method: Method = api.method();
        writeln!(out, "{}\t{method}\t{}", api.as_str(), api.path())?;
    }
    Ok(())
}

/// Prints an API or an inventory as the catalog has it.
pub(crate) fn show(catalog: Catalog, name: &str, out: &mut dyn Write) -> Result<(), Error> {
    let Some(text) = catalog.source_text(name) else {
        let names = catalog.api_names().map(|api| api.as_str()).chain(catalog.inventory_names());
        let closest = closest(name, names).map(str::to_owned);
        return Err(Error::Own(OwnError::NotFound { kind: "API or inventory", name: name.to_owned(), closest }));
    };
    let mut laid_out = Vec::new();
    json::indent(&mut laid_out, text.as_bytes(), 0);
    laid_out.push(b'\n');
    out.write_all(&laid_out)?;
    Ok(())
}

/// Lists the ZStack versions that the program knows, newest first.
pub(crate) fn version(out: &mut dyn Write) -> io::Result<()> {
    Catalog::versions().try_for_each(|version| writeln!(out, "{version}"))
}
