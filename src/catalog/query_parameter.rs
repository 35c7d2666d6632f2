//! What every query takes besides conditions.

use crate::named::named;

use super::inventory::{Field, Inventory};

/// What other APIs call the tags that they set; a query has conditions on tags instead.
const TAGS: [&str; 2] = ["systemTags", "userTags"];

/// Whether this is one of the names that a query takes neither as a parameter nor as a field.
pub(crate) fn is_tag_parameter(name: &str) -> bool {
    TAGS.contains(&name)
}

/// The fields that a condition may begin with.
pub(crate) fn condition_fields(inventory: &Inventory) -> impl Iterator<Item = &Field> {
    inventory.comparable().filter(|field| !is_tag_parameter(field.name))
}

named! {
    /// A parameter that every query takes besides conditions.
    pub enum QueryParameter {
        /// Conditions as a list
        Conditions = "conditions",
        /// Only the number of rows
        Count = "count",
        /// The members to show
        Fields = "fields",
        /// A plug-in's filter, KIND:ARGUMENTS
        FilterName = "filterName",
        /// The number of rows for each value of a field
        GroupBy = "groupBy",
        /// The most rows to return
        Limit = "limit",
        /// The rows and their number
        ReplyWithCount = "replyWithCount",
        /// The field to sort by
        SortBy = "sortBy",
        /// asc or desc
        SortDirection = "sortDirection",
        /// The number of rows to skip
        Start = "start",
        /// Milliseconds to wait
        Timeout = "timeout",
    }
}

/// What a parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryValue {
    /// Text or a number.
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One field of the inventory.
    Field,
    /// Fields of the inventory, separated by commas.
    Fields,
}

impl QueryParameter {
    /// Whether a query takes it whose rows are of this inventory; nothing is known of some.
    pub(crate) fn is_taken(self, rows: Option<&Inventory>) -> bool {
        // Groups are asked for in ZQL, which names the inventory.
        self != QueryParameter::GroupBy || rows.is_some()
    }

    /// Whether its value may name this field of the inventory.
    pub(crate) fn takes_field(self, inventory: &Inventory, field: &Field) -> bool {
        match self {
            QueryParameter::GroupBy => field.has_order() && inventory.can_select(field),
            QueryParameter::SortBy => field.has_order(),
            _ => true,
        }
    }

    /// What its value is.
    pub(crate) fn value(self) -> QueryValue {
        match self {
            QueryParameter::Count | QueryParameter::ReplyWithCount => QueryValue::OneOf(&["true", "false"]),
            QueryParameter::SortDirection => QueryValue::OneOf(&["asc", "desc"]),
            QueryParameter::GroupBy | QueryParameter::SortBy => QueryValue::Field,
            QueryParameter::Fields => QueryValue::Fields,
            QueryParameter::Conditions
            | QueryParameter::FilterName
            | QueryParameter::Limit
            | QueryParameter::Start
            | QueryParameter::Timeout => QueryValue::Any,
        }
    }
}
