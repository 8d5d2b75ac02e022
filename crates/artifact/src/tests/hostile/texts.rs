//! Settings and templates that begin like something else than what loads them.

use super::{Case, Fate, check};

const TEMPLATE: &str = "{{ x.__class__.__mro__ }}";

fn case(name: &'static str, text: impl Into<String>, fate: Fate) -> Case {
    let text = text.into();
    Case::new(format!("{name}: {text}"), name, text.into_bytes(), fate)
}

#[test]
fn a_text_is_judged_by_what_loads_it() {
    check(vec![
        case("chat_template.jinja", TEMPLATE, Fate::By("SEC201")),
        case("chat_template.jinja", format!("[\"{TEMPLATE}\"]"), Fate::By("SEC201")),
        case("chat_template.jinja", format!("{{\"a\": \"{TEMPLATE}\"}}"), Fate::By("SEC201")),
        case("chat_template.jinja", format!("tree\nversion=v4\n{TEMPLATE}"), Fate::By("SEC201")),
        case("chat_template.jinja", format!("S'{TEMPLATE}'\n."), Fate::By("INT104")),
        case("model_config.yaml", "{\"_target_\": \"os.system\"}", Fate::By("SEC102")),
        case("model_config.yml", "{\"a\": [{\"target\": \"subprocess.Popen\"}]}", Fate::By("SEC102")),
        case("model_config.yaml", "[!!python/name:os.system '']", Fate::By("SEC102")),
        case("model_config.yaml", "{\"\\u005ftarget_\": \"os.system\"}", Fate::NoPass),
        case("MLmodel", "{\"flavors\": {\"python_function\": {\"loader_module\": \"os\"}}}", Fate::NoPass),
    ]);
}

/// Keys of one format say nothing to the loader of another.
#[test]
fn what_a_text_looks_like_hides_nothing_that_a_loader_would_run() {
    let lightgbm = r#""name":"tree","tree_info":[],"version":"v4""#;
    let run = r#""_target_":"os.system","command":"id""#;
    let keras = r#""class_name":"Sequential","config":{"layers":[]}"#;
    check(vec![
        case("config.json", format!("{{{run}}}"), Fate::By("SEC102")),
        case("config.json", format!("{{{run},{lightgbm}}}"), Fate::By("SEC102")),
        case("config.json", format!("{{{run},{keras}}}"), Fate::By("SEC102")),
        case(
            "config.json",
            format!("{{\"auto_map\":{{\"AutoModel\":\"evil.Model\"}},{lightgbm}}}"),
            Fate::NoPass,
        ),
    ]);
}

#[test]
fn programs_of_torch_export_hold_names_and_arithmetic_only() {
    let program = |inside: &str| format!("{{\"graph_module\":{{{inside}}}}}");
    let evil = "x=__import__('os').system('id')";
    check(vec![
        case("model.json", program(&format!("\"as_tensor\":{{\"name\":\"{evil}\"}}")), Fate::By("SEC102")),
        case("model.json", program(&format!("\"forward_arg_names\":[\"{evil}\"]")), Fate::By("SEC102")),
        case("model.json", program("\"parameter_name\":\"a'].b\""), Fate::By("SEC102")),
        case(
            "model.json",
            program("\"as_operator\":\"torch.ops.aten.from_file.default\""),
            Fate::By("TOR105"),
        ),
        case("model.json", program("\"guards_code\":[\"eval(L)\"]"), Fate::By("SEC102")),
        case("model.json", "{\"expr_str\":\"(eval)((chr)(95))\"}", Fate::By("SEC102")),
    ]);
}

#[test]
fn templates_are_found_wherever_tokenizers_keep_them() {
    check(vec![
        case("tokenizer_config.json", format!("{{\"chat_template\": \"{TEMPLATE}\"}}"), Fate::By("SEC201")),
        case(
            "tokenizer_config.json",
            format!("{{\"chat_template\": [{{\"name\": \"a\", \"template\": \"{TEMPLATE}\"}}]}}"),
            Fate::By("SEC201"),
        ),
        case(
            "chat_template.json",
            format!("{{\"chat_template\": {{\"default\": \"{TEMPLATE}\"}}}}"),
            Fate::By("SEC201"),
        ),
        case(
            "processor_config.json",
            format!("{{\"a\": {{\"chat_templates\": {{\"b\": [\"{TEMPLATE}\"]}}}}}}"),
            Fate::By("SEC201"),
        ),
        case("tokenizer.yaml", format!("chat_template: '{TEMPLATE}'"), Fate::NoPass),
    ]);
}
