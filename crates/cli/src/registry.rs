use rmt_task::{ErrorKind, Registration, TaskError, nearest};

/// The tasks of all crates, in the order of `rmt models`. A new crate of tasks adds its line here.
pub fn tasks() -> Vec<Registration> {
    [
        rmt_models::tasks(),
        rmt_estimators::tasks(),
        rmt_fpt::tasks(),
        rmt_dynamics::tasks(),
        rmt_pinn::tasks(),
    ]
    .concat()
}

/// Every task the program knows.
pub(crate) struct Registry {
    tasks: Vec<Registration>,
}

impl Registry {
    /// The tasks of all crates.
    pub(crate) fn standard() -> Self {
        Self::new([tasks()])
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
