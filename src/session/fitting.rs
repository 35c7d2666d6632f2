//! Looks up the resources that fit a parameter, for completion.

use crate::catalog::{Inventory, Type};
use crate::client::{Answer, CallOptions, Unwatched};
use crate::json::{self, Piece, Pieces};
use crate::plan::{self, Effect, Wanted};
use crate::shell::complete::{Fitting, Given, LiveValue};
use crate::syntax::Operator;

use super::nearby::{Columns, Condition, Lookup};

/// A condition on a list of uuids: the field, whether it is to have the uuid, and the uuid. A node cannot compare lists.
type ListCondition = (&'static str, bool, String);

impl Lookup {
    /// The resources of a query that fit and that somebody who typed this could mean; none if the node cannot say which
    /// fit.
    pub(super) fn fitting(
        &mut self,
        query: &str,
        fitting: &Fitting,
        typed: &str,
        limit: usize,
    ) -> Option<Vec<LiveValue>> {
        match fitting {
            Fitting::Listed { api, member, arguments } => self.listed(query, api, member, arguments, limit),
            Fitting::Rows(conditions) => self.meeting(query, conditions, typed, limit),
        }
    }

    /// The resources of a query that meet conditions.
    fn meeting(
        &mut self,
        query: &str,
        conditions: &[(&'static str, Operator, Given)],
        typed: &str,
        limit: usize,
    ) -> Option<Vec<LiveValue>> {
        let inventory = self.inventory(query)?;
        let (mut asked, mut lists): (Vec<Condition>, Vec<ListCondition>) = Default::default();
        for (field, operator, given) in conditions {
            let value = self.uuid_of(given)?;
            match inventory.field(field).is_some_and(|field| matches!(field.kind, Type::List(_))) {
                true => lists.push((*field, *operator == Operator::In, value)),
                false => asked.push((*field, *operator, value)),
            }
        }
        let mut values: Vec<LiveValue> = Vec::new();
        for search in self.searches(query, typed) {
            let conditions = [asked.clone(), search].concat();
            let found = self.with_lists(query, &inventory, &conditions, &lists, limit)?;
            let new: Vec<LiveValue> = found.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
        }
        self.tell(query, &mut values);
        Some(values)
    }

    /// The resources that meet conditions, among them those on lists, which are checked here.
    fn with_lists(
        &mut self,
        query: &str,
        inventory: &Inventory,
        conditions: &[Condition],
        lists: &[ListCondition],
        limit: usize,
    ) -> Option<Vec<LiveValue>> {
        let columns = Columns::of(inventory);
        let mut fields = columns.fields.clone();
        fields.extend(lists.iter().map(|(field, ..)| *field));
        let wanted = Wanted { conditions, fields: &fields, limit: Some(limit), ..Wanted::default() };
        let mut values = Vec::new();
        self.each_row(query, &wanted, &mut |row| {
            let holds = |(field, has, uuid): &ListCondition| {
                let list = json::member(row, field).unwrap_or_default();
                has == &memchr::memmem::find(list, uuid.as_bytes()).is_some()
            };
            if lists.iter().all(holds) {
                values.extend(columns.value(row));
            }
        })?;
        Some(values)
    }

    /// The resources that another API lists, described like those of a query.
    fn listed(
        &mut self,
        query: &str,
        api: &'static str,
        member: &str,
        arguments: &[(&'static str, Given)],
        limit: usize,
    ) -> Option<Vec<LiveValue>> {
        let known = self.catalog.api_name(api)?;
        if known.is_mistakable() && !self.has(known) {
            return None;
        }
        let inventory = self.inventory(query)?;
        let mut parameters = Vec::new();
        for (name, given) in arguments {
            parameters.push((*name, self.uuid_of(given)?));
        }
        let request =
            plan::call(api, &parameters, self.catalog).ok().filter(|request| request.effect == Effect::Read)?;
        let Ok(Answer::Reply(mut reply)) = self.client.execute(&request, &CallOptions::default(), &mut Unwatched)
        else {
            return None;
        };
        let columns = Columns::of(&inventory);
        let (mut values, mut is_list) = (Vec::new(), false);
        while let Some(piece) = reply.next_piece().ok()? {
            match piece {
                Piece::Rows { name } => is_list = name == member,
                Piece::Row(row) if is_list && values.len() < limit => values.extend(columns.value(row)),
                _ => {}
            }
        }
        self.tell(query, &mut values);
        Some(values)
    }

    /// The uuid that an argument gives, which may be the name of exactly one resource.
    fn uuid_of(&mut self, given: &Given) -> Option<String> {
        let Some(query) = given.query.filter(|_| !plan::is_uuid(&given.value)) else {
            return Some(given.value.clone());
        };
        let name = given.value.strip_prefix("name:").unwrap_or(&given.value);
        let found = self.resources(query, &[("name", Operator::Equal, name.to_owned())], 2)?;
        let [only] = <[LiveValue; 1]>::try_from(found).ok()?;
        Some(only.uuid)
    }
}
