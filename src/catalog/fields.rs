//! Resolving a field path such as `vmNics.l3Network.name`.

use super::index::Catalog;
use super::inventory::{Field, Inventory};

/// The pseudo-fields that every inventory has: conditions on its tags.
pub const TAG_FIELDS: [&str; 3] = ["__systemTag__", "__userTag__", "__tagUuid__"];

/// Where a field path ends.
#[derive(Clone, Debug)]
pub enum FieldPath {
    /// At a member of the last inventory.
    Field {
        /// The inventory that the member belongs to.
        inventory: Box<Inventory>,
        /// The member.
        field: Field,
    },
    /// At a tag pseudo-field of the last inventory.
    Tag,
    /// The path leads through an inventory that the catalog does not describe, so the rest cannot be checked.
    Unknown,
}

/// Why a path cannot be resolved. `at` is the byte offset of the wrong segment in the path.
#[derive(Clone, Debug)]
pub enum FieldError {
    /// A segment before the last is neither an expanded field nor an alias.
    NoExpanded {
        /// The wrong segment.
        name: String,
        /// Its byte offset in the path.
        at: usize,
        /// The inventory that lacks it.
        inventory: Box<Inventory>,
    },
    /// The last segment is not a member.
    NoField {
        /// The wrong segment.
        name: String,
        /// Its byte offset in the path.
        at: usize,
        /// The inventory that lacks it.
        inventory: Box<Inventory>,
    },
    /// A segment is a relation or tag field on which nodes fail.
    Broken {
        /// The wrong segment.
        name: String,
        /// The inventory that has it.
        inventory: Box<Inventory>,
    },
    /// The last segment is a list of nested records and not one of their members.
    Record {
        /// The wrong segment.
        name: String,
        /// Its byte offset in the path.
        at: usize,
        /// The inventory that has it.
        inventory: Box<Inventory>,
        /// The inventory of those records.
        target: &'static str,
    },
}

impl Catalog {
    /// The inventory that `name`, an expanded field or alias of `from`, leads to. The inner `None` means that
    /// it leads to one which the catalog does not describe.
    pub fn follow(self, from: &Inventory, name: &str) -> Option<Option<Inventory>> {
        let target = from
            .expanded
            .get(name)
            .map(|expanded| expanded.inventory)
            .or_else(|| from.aliases.get(name).map(|alias| alias.inventory))?;
        Some(self.inventory(target))
    }

    /// Follows a dotted path from an inventory to the member it names.
    ///
    /// # Errors
    /// Each names the first segment that cannot be resolved.
    pub fn field_path(self, from: &Inventory, path: &str) -> Result<FieldPath, FieldError> {
        let mut inventory = from.clone();
        let mut at = 0;
        let mut rest = path;
        while let Some((name, next)) = rest.split_once('.') {
            if inventory.is_broken(name) {
                return Err(FieldError::Broken { name: name.to_owned(), inventory: Box::new(inventory) });
            }
            match self.follow(&inventory, name) {
                Some(Some(target)) => inventory = target,
                Some(None) => return Ok(FieldPath::Unknown),
                None => {
                    return Err(FieldError::NoExpanded { name: name.to_owned(), at, inventory: Box::new(inventory) });
                }
            }
            at += name.len() + 1;
            rest = next;
        }
        if inventory.is_broken(rest) {
            return Err(FieldError::Broken { name: rest.to_owned(), inventory: Box::new(inventory) });
        }
        if TAG_FIELDS.contains(&rest) {
            return Ok(FieldPath::Tag);
        }
        match inventory.field(rest).filter(|field| !field.unqueryable).cloned() {
            Some(field) => match field.kind.record() {
                Some(target) => {
                    Err(FieldError::Record { name: rest.to_owned(), at, inventory: Box::new(inventory), target })
                }
                None => Ok(FieldPath::Field { inventory: Box::new(inventory), field }),
            },
            None => Err(FieldError::NoField { name: rest.to_owned(), at, inventory: Box::new(inventory) }),
        }
    }

    /// The more specific inventory that a condition `field=value` on the type field of `from` chooses.
    pub fn specialised(self, from: &Inventory, field: &str, value: &str) -> Option<Inventory> {
        if !from.field(field)?.type_field {
            return None;
        }
        self.specialisations(from).find(|(type_value, _)| *type_value == value).map(|(_, inventory)| inventory)
    }

    /// The more specific inventories of `from`, each with the value of the type field that chooses it.
    pub fn specialisations(self, from: &Inventory) -> impl Iterator<Item = (&'static str, Inventory)> {
        let name = from.name;
        self.may_specialise(name).filter_map(move |inventory| {
            let parent = inventory.parents.iter().find(|parent| parent.inventory == name)?;
            Some((parent.type_value, inventory))
        })
    }
}
