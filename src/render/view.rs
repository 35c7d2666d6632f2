//! How a reply is printed, and what is known about its rows.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::named::named;
use crate::secret::{KnownSecrets, Secrets};

use super::columns::Selection;
use super::filter::Filter;
use super::marks::Marks;
use super::sort::SortKey;

named! {
    /// An output format.
    pub enum Format {
        /// Aligned columns, the important ones
        Table = "table",
        /// Aligned columns, every scalar one
        Wide = "wide",
        /// One `field | value` block per row
        Vertical = "vertical",
        /// The reply as sent, indented, its members sorted
        Json = "json",
        /// One row per line, as JSON
        Jsonl = "jsonl",
        /// The reply as YAML
        Yaml = "yaml",
        /// Comma-separated, with a header
        Csv = "csv",
        /// Tab-separated, with a header
        Tsv = "tsv",
        /// The first column, without quotes
        Value = "value",
    }
}

impl Format {
    /// Whether it is for people: secrets masked, byte counts readable, nested values summarised.
    pub fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Wide | Format::Vertical)
    }
}

named! {
    /// The lines of a table.
    pub enum Border {
        /// +---+ and |
        Ascii = "ascii",
        /// Box-drawing characters
        Unicode = "unicode",
        /// A table in a Markdown document
        Markdown = "markdown",
        /// Spaces only
        None = "none",
    }
}

/// Whether a call failed. Of several calls this may be known only after their rows. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Failed(Arc<AtomicBool>);

impl Failed {
    /// A call that failed, or not.
    pub fn new(failed: bool) -> Failed {
        Failed(Arc::new(AtomicBool::new(failed)))
    }

    /// Records that a call failed.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a call failed so far.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a reply is printed.
#[derive(Clone, Debug)]
pub struct View {
    /// The format.
    pub format: Format,
    /// The requested columns.
    pub columns: Option<Selection>,
    /// A member whose column goes before all others, also before those that were asked for.
    pub leading: Option<String>,
    /// What to sort the rows by, independent of the order of the reply. All rows are held in memory then.
    pub sort_by: Option<SortKey>,
    /// A jq expression whose outputs are printed instead of the reply.
    pub filter: Option<Filter>,
    /// Whether strings that the filter yields are printed bare.
    pub raw: bool,
    /// Whether rows are counted and added up instead of printed.
    pub summary: bool,
    /// The terminal width in columns; `None` for no limit.
    pub width: Option<usize>,
    /// The maximum width of a table in columns, set by the user; overrides the terminal width.
    pub max_width: Option<usize>,
    /// Whether the output goes to a terminal: control characters are escaped then, in every format.
    pub terminal: bool,
    /// Whether tables are drawn in ASCII only.
    pub ascii: bool,
    /// Whether to use colours.
    pub colour: bool,
    /// Whether secret members are masked in the formats for people.
    pub secrets: Secrets,
    /// Whether a member of that name is secret.
    pub is_secret: fn(&str) -> bool,
    /// The text of a member of that name without the secrets inside: user info of a URL, the tail of a tag.
    pub mask: for<'a> fn(&str, &'a str) -> Cow<'a, str>,
    /// Secrets that are masked wherever they stand, in the formats for people.
    pub known: Option<KnownSecrets>,
    /// Whether tables, csv and tsv begin with the column names.
    pub header: bool,
    /// Whether cells that are too wide are wrapped rather than cut.
    pub wrap: bool,
    /// The lines of a table; `None` chooses by whether the output goes to a terminal.
    pub border: Option<Border>,
    /// Rows and cells that are marked in tables and blocks.
    pub marks: Option<Marks>,
    /// Whether the call failed; the JSON formats do not add `success: true` then.
    pub failed: Failed,
    /// Whether rows of the named inventory may have a value at a path although the current rows have none.
    pub knows: fn(&str, &[String]) -> bool,
    /// Whether a column that is the same in all rows is told below a table on a terminal.
    pub folds: bool,
    /// Whether the rows of a table on a terminal are sorted by name, where all are there before the first is printed.
    pub by_name: bool,
    /// Default columns that are shown as another one: the member that refers to a resource by its uuid, and the one that
    /// holds that resource.
    pub named: Vec<(String, String)>,
    /// Where the rows are a section of a page about a resource: members that it tells already, which get no default column.
    /// One row is a table there as well.
    pub section: Option<Vec<String>>,
    /// The inventory that the rows are taken from, where only some of its members were asked for.
    pub taken_from: Option<String>,
}

impl View {
    /// A view for a pipe: no width limit, no colours, secrets masked in the formats that mask them.
    pub fn new(format: Format) -> View {
        View {
            format,
            columns: None,
            leading: None,
            sort_by: None,
            filter: None,
            raw: false,
            summary: false,
            width: None,
            max_width: None,
            terminal: false,
            ascii: false,
            colour: false,
            secrets: Secrets::Masked,
            is_secret: |_| false,
            mask: |_, text| Cow::Borrowed(text),
            known: None,
            header: true,
            wrap: false,
            border: None,
            marks: None,
            failed: Failed::default(),
            knows: |_, _| false,
            folds: false,
            by_name: false,
            named: Vec::new(),
            section: None,
            taken_from: None,
        }
    }

    /// The same without a selection, as JSON.
    pub fn plain(&self) -> View {
        View { format: Format::Json, columns: None, sort_by: None, filter: None, summary: false, ..self.clone() }
    }

    /// Whether rows of that shape may have a value at a path although the current rows have none.
    pub(super) fn knows(&self, shape: &Shape, path: &[String]) -> bool {
        let inventory = shape.inventory.as_ref().or(self.taken_from.as_ref());
        inventory.is_some_and(|inventory| (self.knows)(inventory, path))
    }

    /// The maximum width of a line.
    pub(super) fn limit(&self) -> Option<usize> {
        self.max_width.or(self.width)
    }

    /// The mark at the end of truncated text.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// Whether the values of a member of that name are masked.
    pub(super) fn masks(&self, name: &str) -> bool {
        self.masks_secrets() && (self.is_secret)(name)
    }

    /// Whether secrets are masked at all.
    pub(super) fn masks_secrets(&self) -> bool {
        self.secrets == Secrets::Masked && self.format.is_for_people()
    }
}

/// What is known about a reply's rows.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// The name of their inventory. Fields without one are requested members: tables show all of them.
    pub inventory: Option<String>,
    /// Its fields, in the catalog's order; empty when nothing is known.
    pub fields: Vec<Field>,
    /// The shape of each result, where a reply has several.
    pub results: Vec<Shape>,
}

impl Shape {
    /// The field called exactly `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of an inventory.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: FieldKind,
    /// Whether it is secret in this inventory, whatever its name says: the uuid of a session.
    pub secret: bool,
}

/// The type of a field's values, as far as printing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A string, or one of an enumeration's names.
    Text,
    /// An integer of 32 bits.
    Integer,
    /// An integer of 64 bits, which may count bytes.
    Long,
    /// An integer that counts bytes, whatever its name says.
    Bytes,
    /// A number with a fraction.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// A date and time, as text.
    Time,
    /// A list, a map, another inventory.
    Nested,
    /// Unknown.
    Unknown,
}

impl FieldKind {
    /// Whether values are plain, so that `wide` and `csv` show them.
    pub fn is_scalar(self) -> bool {
        !matches!(self, FieldKind::Nested)
    }
}
