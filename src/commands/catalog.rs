//! `catalog list|show|version`: what the program knows of the APIs.

use std::io::{self, Write};

use crate::catalog::{ApiName, Catalog};
use crate::error::{Error, OwnError};
use crate::json::{self, Secrets, Value};
use crate::nearness::closest;
use crate::render::{Field, FieldKind, Shape};

/// What is known of the rows of [`list`].
pub(crate) fn shape() -> Shape {
    let text = ["name", "method", "path"].map(|name| (name, FieldKind::Text));
    let flags = ["async", "session", "query", "deprecated"].map(|name| (name, FieldKind::Bool));
    let field = |(name, kind): (&str, FieldKind)| Field { name: name.to_owned(), kind, secret: false };
    Shape {
        inventory: Some("Api".to_owned()),
        fields: text.into_iter().chain(flags).map(field).collect(),
        ..Shape::default()
    }
}

/// The APIs, or those whose name holds `part`, as a reply:
/// `{"inventories": [{"name", "method", "path", "async", "session", "query", "deprecated"}]}`.
pub(crate) fn list(catalog: Catalog, part: Option<&str>) -> Vec<u8> {
    let part = part.unwrap_or_default().to_lowercase();
    let row = |api: ApiName| {
        let flag = |name: &str, is_set| (name.to_owned(), Value::Bool(is_set));
        Value::Map(vec![
            ("name".to_owned(), Value::text(api.as_str())),
            ("method".to_owned(), Value::text(api.method().to_string())),
            ("path".to_owned(), Value::text(api.path())),
            flag("async", api.is_async()),
            flag("session", api.needs_session()),
            flag("query", api.is_query()),
            flag("deprecated", api.is_deprecated()),
        ])
    };
    let fits = |api: &ApiName| api.as_str().to_lowercase().contains(&part);
    let rows = catalog.api_names().filter(fits).map(row).collect();
    Value::Map(vec![("inventories".to_owned(), Value::List(rows))]).to_json(Secrets::Masked).into_bytes()
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
