//! Templates as they are published, and ways to the interpreter.

use super::*;

fn fired(template: &str) -> Vec<String> {
    crate::seeds::input("jinja", template.as_bytes());
    let mut findings = Findings::new();
    check(template, "chat_template", None, &mut findings);
    findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect()
}

#[test]
fn templates_of_conversations_are_sound() {
    for template in [
        "",
        "plain {text}",
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content']|trim }}{% endfor %}",
        "{%- if messages[0]['role'] == 'system' -%}{% set system_message = messages[0]['content'] %}\
         {%- set loop_messages = messages[1:] %}{% else %}{% set system_message = '' %}{% endif %}{{ bos_token }}",
        "{% set ns = namespace(is_first=false, index=0, text='') %}{% set ns.index = ns.index + 1 %}\
         {{ messages[ns.index + 1].content }}{{ messages[messages|length - 1] }}",
        "{% macro render(items, kind) %}{% for k, v in items|items %}{{ k ~ ': ' ~ items[k] }}{% endfor %}{% endmacro %}\
         {{ render(tool.parameters, 'type') }}",
        "{% set content = message.content.split('</think>')[-1].lstrip('\\n') %}{{ tools|map(attribute='name')|join(', ') }}",
        "{{ tool | tojson(indent=4) }}{% raw %}{{ x.__class__ }}{% endraw %}{# {{ x.__class__ }} #}",
        "{{ {'a': {'b': 1}} }}{{ raise_exception('roles must alternate') }}{% generation %}x{% endgeneration %}",
        "{{ '{}: {}'.format(a, b) }}{{ messages|selectattr('role', 'equalto', 'user')|list }}{{ '__media__' }}",
    ] {
        assert_eq!(fired(template), Vec::<String>::new(), "{template}");
    }
}

#[test]
fn every_way_to_the_interpreter_is_seen() {
    for (template, rule) in [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SEC201"),
        ("{{ x['__class__'] }}", "SEC201"),
        ("{{ x['\\x5f\\x5fclass\\137_'] }}", "SEC201"),
        ("{{ x['\\N{LOW LINE}\\N{LOW LINE}class__'] }}", "SEC201"),
        ("{{ x|attr('__class__') }}", "SEC201"),
        ("{{ x|map(attribute='a.__class__')|list }}", "SEC201"),
        ("{{ '{0.__class__}'.format(x) }}", "SEC201"),
        ("{{ dict(__class__=1)|first }}", "SEC201"),
        ("{{ x.gi_frame }}", "SEC201"),
        ("{{ cycler.next.popen('id') }}", "SEC201"),
        ("{{ x['_' ~ '_class_' ~ '_'] }}", "SEC202"),
        ("{{ x['_' + '_class_' + '_'] }}", "SEC202"),
        ("{{ x['_' '_class_' '_'] }}", "SEC202"),
        ("{{ x[['_', '_class_', '_']|join] }}", "SEC202"),
        ("{{ x['%s%sclass'|format(u, u)] }}", "SEC202"),
        ("{% set u = '_' %}{{ x[u+u+c+u+u] }}", "SEC202"),
        ("{{ x[a] }}{% set a = b %}{% set b = '_' ~ c %}", "SEC202"),
        ("{% for a in ['__class__'] %}{{ x[a] }}{% endfor %}", "SEC202"),
        ("{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m('_' ~ '_class__') }}", "SEC202"),
        ("{% set ns = namespace(k='') %}{% set ns.k = ns.k + c %}{{ x[ns.k] }}", "SEC202"),
        ("{{ x|attr(y) }}", "SEC202"),
        ("{{ x|map('attr', y)|list }}", "SEC202"),
        ("{{ x|map(attribute=y)|list }}", "SEC202"),
        ("{{ y.format(x) }}", "SEC202"),
        ("{% include 'x' %}", "SEC203"),
        ("{% from 'x' import y %}", "SEC203"),
        ("{{ x", "SEC204"),
        ("{% frobnicate %}", "SEC204"),
        ("{{ x ] }}", "SEC204"),
    ] {
        assert!(fired(template).iter().any(|fired| fired == rule), "{template}: {:?}", fired(template));
    }
}

#[test]
fn a_template_too_large_to_judge_is_no_pass() {
    assert_eq!(fired(&"x".repeat(MAX_TEMPLATE)), ["SEC204"]);
}

#[test]
fn what_takes_too_long_to_follow_is_no_pass() {
    let chain: Vec<String> = (0..3000).map(|n| format!("{{% set a{n} = a{} %}}", n + 1)).collect();
    let chain = format!("{}{{% set a3000 = 'x' %}}", chain.concat());
    let calls =
        format!("{{% macro m({}) %}}{{% endmacro %}}{}", "a,".repeat(3000), "{{ m(x) }}".repeat(3000));
    for template in [
        format!("{{{{ m({}) }}}}", "a=".repeat(10_000)),
        format!("{{{{ {}{} }}}}", "a[".repeat(200), "]".repeat(200)),
        chain,
        calls,
    ] {
        assert_eq!(fired(&template), ["SEC204"], "{}", &template[..60]);
    }
}
