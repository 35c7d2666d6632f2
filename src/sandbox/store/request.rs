//! The parameters of a query.

/// The account that runs a query: ordinary accounts see only their own and shared resources (Q23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The account.
    pub account_uuid: String,
    /// Whether it is the administrator's.
    pub is_admin: bool,
}

#[cfg(test)]
impl Viewer {
    /// The administrator.
    pub(super) fn admin() -> Viewer {
        Viewer { account_uuid: ADMIN_ACCOUNT.to_owned(), is_admin: true }
    }
}

/// The uuid of the initial administrator's account (A8).
pub const ADMIN_ACCOUNT: &str = "36c27e8ff05c4780bf6d2fa65700f22e";

/// The parameters of a query, percent-decoded; of each but `q` the first that the request has (section 8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryRequest {
    /// The texts of all `q`.
    pub conditions: Vec<String>,
    /// The text of `limit`.
    pub limit: Option<String>,
    /// The text of `start`.
    pub start: Option<String>,
    /// Whether `count` is `true`.
    pub count: bool,
    /// Whether `replyWithCount` is `true`.
    pub reply_with_count: bool,
    /// The text of `sort`.
    pub sort: Option<String>,
    /// The text of `fields`.
    pub fields: Option<String>,
    /// The text of `groupBy`, which this version ignores (Q21).
    pub group_by: Option<String>,
    /// The text of `filterName`.
    pub filter_name: Option<String>,
}
