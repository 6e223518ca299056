use rmt_task::{ErrorKind, Registration, TaskError, nearest};

/// Every task the program knows, in the order of `rmt models`.
pub(crate) struct Registry {
    tasks: Vec<Registration>,
}

impl Registry {
    /// The tasks of all crates. A new crate of models adds its line here.
    pub(crate) fn standard() -> Self {
        Self::new([rmt_models::tasks()])
    }

    /// A registry of the given lists of tasks.
    pub(crate) fn new(lists: impl IntoIterator<Item = Vec<Registration>>) -> Self {
        Self { tasks: lists.into_iter().flatten().collect() }
    }

    /// All tasks in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.tasks.iter()
    }

    /// The task of that name; an unknown name is answered with the nearest.
    pub(crate) fn find(&self, name: &str) -> Result<&Registration, TaskError> {
        self.tasks.iter().find(|t| t.card().name == name).ok_or_else(|| {
            let hint = nearest(name, self.tasks.iter().map(|t| t.card().name))
                .map(|k| format!("did you mean `{k}`? "))
                .unwrap_or_default();
            TaskError::new(
                ErrorKind::UNKNOWN_TASK,
                format!("no task \"{name}\": {hint}`rmt models` lists them all"),
            )
        })
    }
}
