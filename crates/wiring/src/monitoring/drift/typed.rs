//! What columns hold by the signature of the model that they are given to.

use tagship_config::{DriftColumn, DriftSettings};
use tagship_domain::{Signature, TensorSpec};

/// The settings, and for columns of which they say nothing what the model's inputs say: one input that takes one text of each
/// row is the column of its name, and what looks like numbers there are names. An input of numbers says nothing: what is logged
/// may be what they were encoded from.
pub(crate) fn typed(mut settings: DriftSettings, signature: &Signature) -> DriftSettings {
    for input in signature.inputs.iter().filter(|input| is_column_of_texts(input)) {
        settings.schema.entry(input.name.clone()).or_insert(DriftColumn::Category);
    }
    settings
}

fn is_column_of_texts(input: &TensorSpec) -> bool {
    input.datatype == "BYTES" && !input.shape.is_empty() && input.shape.iter().skip(1).all(|size| *size == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_one_text_a_row_are_columns_of_categories() {
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
            input("code", "BYTES", &[-1]),
            input("told", "BYTES", &[-1, 1]),
            input("all", "BYTES", &[-1, 20]),
        ];
        let schema = [("told".to_owned(), DriftColumn::Number)].into();
        let settings = DriftSettings { schema, ..DriftSettings::default() };
        let typed = typed(settings, &Signature { inputs, outputs: vec![] });
        let schema: Vec<_> = typed.schema.iter().map(|(name, holds)| (name.as_str(), *holds)).collect();
        let expected =
            [("code", DriftColumn::Category), ("told", DriftColumn::Number), ("zip", DriftColumn::Category)];
        assert_eq!(schema, expected);
    }
}
