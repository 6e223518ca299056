use super::*;
use rmt_task::Registration;
use serde_json::json;

fn amplification(inputs: serde_json::Value) -> Result<Observables, TaskError> {
    Registration::of::<BiasAmplification>().evaluate(&inputs)
}
