//! Agents' own todo lists, in the three shapes that tools give them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::{Fold, one_line};
use super::json;

/// The most items that are followed.
const ITEMS_MAX: usize = 200;

/// A list that a tool writes as a whole: `[{content|description|text, status|completed}]`.
pub(super) fn whole(fold: &mut Fold, list: &[Value]) {
    let done = list.iter().filter(|item| is_done(item)).count();
    let current = list
        .iter()
        .find(|item| json::text(item, "/status") == Some("in_progress"))
        .or_else(|| list.iter().find(|item| !is_done(item)))
        .and_then(|item| {
            ["/content", "/description", "/text"].iter().find_map(|key| json::text(item, key))
        });
    fold.todo(done, list.len(), current);
}

fn is_done(item: &Value) -> bool {
    json::text(item, "/status") == Some("completed") || json::flag(item, "/completed")
}

/// A list that claude's `TaskCreate` and `TaskUpdate` change item by item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Items(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    subject: String,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    InProgress,
    Completed,
    Deleted,
}

impl Items {
    /// `TaskCreate`: the item gets the next number, from 1.
    pub(super) fn create(&mut self, fold: &mut Fold, input: &Value) {
        if self.0.len() < ITEMS_MAX {
            let subject = one_line(json::text(input, "/subject").unwrap_or_default());
            self.0.push(Item { subject, status: Status::Pending });
            self.tell(fold);
        }
    }

    /// `TaskUpdate`: a new status for the item of a number.
    pub(super) fn update(&mut self, fold: &mut Fold, input: &Value) {
        let number = json::text(input, "/taskId").and_then(|id| id.parse::<usize>().ok());
        let status = match json::text(input, "/status") {
            Some("pending") => Status::Pending,
            Some("in_progress") => Status::InProgress,
            Some("completed") => Status::Completed,
            Some("deleted") => Status::Deleted,
            _ => return,
        };
        let item = number.and_then(|n| n.checked_sub(1)).and_then(|at| self.0.get_mut(at));
        if let Some(item) = item {
            item.status = status;
            self.tell(fold);
        }
    }

    fn tell(&self, fold: &mut Fold) {
        let with = |status| self.0.iter().filter(move |item| item.status == status);
        let total = self.0.len() - with(Status::Deleted).count();
        let current = with(Status::InProgress).next().map(|item| item.subject.as_str());
        fold.todo(with(Status::Completed).count(), total, current);
    }
}
