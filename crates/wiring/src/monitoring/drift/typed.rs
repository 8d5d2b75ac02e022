//! What columns hold by the signature of the model that they are given to.

use tagship_config::{DriftColumn, DriftSettings};
use tagship_domain::{Signature, TensorSpec};

/// The settings, and for columns of which they say nothing what the model's inputs say: one input that takes one value of each
/// row is the column of its name.
pub(crate) fn typed(mut settings: DriftSettings, signature: &Signature) -> DriftSettings {
    for input in &signature.inputs {
        if let Some(holds) = holds(input) {
            settings.schema.entry(input.name.clone()).or_insert(holds);
        }
    }
    settings
}

/// Absent for an input that takes several values of a row, and for truths, which tables write in many ways.
fn holds(input: &TensorSpec) -> Option<DriftColumn> {
    let is_column = input.shape.iter().skip(1).all(|size| *size == 1) && !input.shape.is_empty();
    match input.datatype.as_str() {
        _ if !is_column => None,
        "BYTES" => Some(DriftColumn::Category),
        number if number.starts_with("FP") || number.starts_with("INT") || number.starts_with("UINT") => {
            Some(DriftColumn::Number)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_one_value_a_row_say_what_their_columns_hold() {
        let input = |name: &str, datatype: &str, shape: &[i64]| TensorSpec {
            name: name.to_owned(),
            datatype: datatype.to_owned(),
            shape: shape.to_vec(),
        };
        let inputs = vec![
            input("age", "FP32", &[-1, 1]),
            input("zip", "BYTES", &[-1, 1]),
            input("plan", "INT64", &[-1]),
            input("is_new", "BOOL", &[-1, 1]),
            input("told", "FP32", &[-1, 1]),
            input("all", "FP32", &[-1, 20]),
        ];
        let schema = [("told".to_owned(), DriftColumn::Category)].into();
        let settings = DriftSettings { schema, ..DriftSettings::default() };
        let typed = typed(settings, &Signature { inputs, outputs: vec![] });
        let schema: Vec<_> = typed.schema.iter().map(|(name, holds)| (name.as_str(), *holds)).collect();
        let expected = [
            ("age", DriftColumn::Number),
            ("plan", DriftColumn::Number),
            ("told", DriftColumn::Category),
            ("zip", DriftColumn::Category),
        ];
        assert_eq!(schema, expected);
    }
}
