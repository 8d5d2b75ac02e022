//! The JSON Schema against documents: it takes what the reader takes.

use serde_json::{Map, Value};

use crate::{Config, config_schema, yaml};

/// Checks a value against the keywords that our schema uses; any other keyword is a failure of this test.
fn check(schema: &Value, value: &Value, root: &Value, path: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return if schema == &Value::Bool(false) { Err(format!("{path}: not allowed")) } else { Ok(()) };
    };
    for (keyword, asked) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "definitions" | "examples" | "format" => true,
            "$ref" => {
                let target = root.pointer(asked.as_str().unwrap().trim_start_matches('#')).unwrap();
                check(target, value, root, path)?;
                true
            }
            "type" => match asked {
                Value::Array(types) => types.iter().any(|one| is_type(value, one.as_str().unwrap())),
                one => is_type(value, one.as_str().unwrap()),
            },
            "const" => value == asked,
            "enum" => asked.as_array().unwrap().contains(value),
            "allOf" => {
                asked.as_array().unwrap().iter().try_for_each(|one| check(one, value, root, path))?;
                true
            }
            "anyOf" => asked.as_array().unwrap().iter().any(|one| check(one, value, root, path).is_ok()),
            "oneOf" => {
                asked.as_array().unwrap().iter().filter(|one| check(one, value, root, path).is_ok()).count()
                    == 1
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= asked.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|value| value <= asked.as_f64().unwrap()),
            "pattern" => {
                let holds = |text: &str| match asked.as_str() {
                    Some("^https?://") => text.starts_with("http://") || text.starts_with("https://"),
                    Some(r"^v\d+\.\d+\.\d+") => text.parse::<tagship_domain::Version>().is_ok(),
                    other => panic!("the schema has the pattern {other:?}, which this test does not know"),
                };
                value.as_str().is_none_or(holds)
            }
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= asked.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= asked.as_u64().unwrap()),
            "minProperties" => {
                value.as_object().is_none_or(|map| map.len() as u64 >= asked.as_u64().unwrap())
            }
            "maxProperties" => {
                value.as_object().is_none_or(|map| map.len() as u64 <= asked.as_u64().unwrap())
            }
            "required" => value.as_object().is_none_or(|map| {
                asked.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap()))
            }),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(asked, item, root, &format!("{path}[]"))?;
                }
                true
            }
            "properties" | "additionalProperties" => {
                check_entries(schema, value, root, path)?;
                true
            }
            other => panic!("the schema uses the keyword {other}, which this test does not know"),
        };
        if !holds {
            return Err(format!("{path}: {value} does not meet {keyword} {asked}"));
        }
    }
    Ok(())
}

fn check_entries(schema: &Map<String, Value>, value: &Value, root: &Value, path: &str) -> Result<(), String> {
    for (key, value) in value.as_object().into_iter().flatten() {
        let named = schema.get("properties").and_then(|properties| properties.get(key));
        if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
            check(schema, value, root, &format!("{path}.{key}"))?;
        }
    }
    Ok(())
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    }
}

fn validate(text: &str) -> Result<(), String> {
    let schema = config_schema();
    check(&schema, &yaml::to_json(text).unwrap(), &schema, "")
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    for text in [
        super::FULL,
        super::progressive::CANARY,
        "version: 1\nmodels: { m: { artifact: a } }",
        &super::model("    gate:\n"),
    ] {
        Config::parse("tagship.yml", text).unwrap();
        validate(text).unwrap();
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for text in [
        "[]",
        "version: 2\nmodels: { m: { artifact: a } }",
        "version: 1",
        "version: 1\nmodels: {}",
        "version: 1\nmodels: { m: {} }",
        "version: 1\nmodels: { m: { artifact: a } }\nmodel: {}",
        &super::model("    gate: { rulez: [] }"),
        &super::model("    gate: { tests: { min: 0 } }"),
        &super::model("    gate: { rules: [{ name: a }] }"),
        &super::model("    gate: { compare: { test: t-test } }"),
        &super::model("    validate: { formats: [h5] }"),
        &super::model("    validate: { formats: [] }"),
        &super::model("    validate: { golden: { tolerance: 1 } }"),
        &super::model("    validate: { bundles: [python] }"),
        &super::model("    validate: { allow: [{ global: a.B }] }"),
        &super::model("    validate: { allow: [{ global: a.B, reason: ours, call: build }] }"),
        &super::model("    environments: { p: {} }"),
        &super::model("    environments: { p: { target: { a: {}, b: {} } } }"),
        &super::model("    environments: { p: { target: a, strategy: canary } }"),
        &super::model("    environments: { p: { target: a, strategy: { canary: {} } } }"),
        &super::model(
            "    environments: { p: { target: a, strategy: { canary: { steps: [{ pause: 5 }] } } } }",
        ),
        &super::model("    environments: { p: { target: a, strategy: { blue-green: { previw: 5m } } } }"),
        &super::model("    environments: { p: { target: a, hold-back: 101 } }"),
        &super::model(
            "    environments: { p: { target: a, bake: 5m, analysis: { metrics: [{ name: a }] } } }",
        ),
        &super::model("    environments: { p: { target: a, bake: 5m, analysis: {} } }"),
    ] {
        Config::parse("tagship.yml", text).unwrap_err();
        validate(text).expect_err(text);
    }
}

#[test]
fn every_key_is_described_and_defaults_are_told() {
    let schema = config_schema();
    let mut undescribed = Vec::new();
    let definitions = schema["definitions"].as_object().unwrap();
    for (name, definition) in definitions.iter().chain([(&"root".to_owned(), &schema)]) {
        for (key, property) in definition.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if property.get("description").is_none() {
                undescribed.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(undescribed.is_empty(), "{undescribed:?}");
    assert_eq!(definitions["Tests"]["properties"]["min"]["default"], 1);
    assert_eq!(definitions["Golden"]["properties"]["tolerance"]["default"], 1e-4);
    assert_eq!(definitions["Environment"]["properties"]["progress-deadline"]["default"], "10m");
    assert_eq!(definitions["Release"]["properties"]["bump"]["default"], "auto");
}
