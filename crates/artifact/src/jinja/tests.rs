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

/// Written after the templates of well-known families of models, with what each of them does in its own way.
#[test]
fn templates_of_published_families_are_sound() {
    for template in [
        // Llama: dates, tools, a macro-free loop with slices and nested lookups.
        "{{- bos_token }}{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}\
         {%- if not date_string is defined %}{%- if strftime_now is defined %}\
         {%- set date_string = strftime_now('%d %b %Y') %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}{%- endif %}\
         {%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}\
         {%- set messages = messages[1:] %}{%- else %}{%- set system_message = '' %}{%- endif %}\
         {%- for message in messages %}{%- if not (message.role == 'ipython' or 'tool_calls' in message) %}\
         {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}\
         {%- elif 'tool_calls' in message %}{%- set tool_call = message.tool_calls[0].function %}\
         {%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '=\"' + arg_val + '\"' }}{%- endfor %}\
         {{- '{\"name\": \"' + tool_call.name + '\", ' }}{{- tool_call.arguments | tojson }}{%- endif %}{%- endfor %}",
        // Qwen: a namespace, reversed messages, thoughts that are cut out.
        "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}\
         {%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}\
         {%- if ns.multi_step_tool and message.role == 'user' and not(message.content.startswith('<tool_response>') \
         and message.content.endswith('</tool_response>')) %}{%- set ns.multi_step_tool = false %}\
         {%- set ns.last_query_index = index %}{%- endif %}{%- endfor %}\
         {%- for message in messages %}{%- set content = message.content if message.content is string else '' %}\
         {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}\
         {%- if loop.last or (not loop.last and reasoning_content) %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}\
         {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != 'tool') %}{{- '<|im_start|>user' }}{%- endif %}{%- endfor %}",
        // Mistral: alternating roles, identifiers that must have a length.
        "{%- if messages[0]['role'] == 'system' %}{%- set loop_messages = messages[1:] %}{%- else %}\
         {%- set loop_messages = messages %}{%- endif %}{%- set user_messages = loop_messages | selectattr('role', 'equalto', 'user') | list %}\
         {%- set ns = namespace() %}{%- set ns.index = 0 %}{%- for message in loop_messages %}\
         {%- if (message['role'] == 'user') != (ns.index % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}\
         {%- set ns.index = ns.index + 1 %}{%- if tools is not none and (message == user_messages[-1]) %}\
         {%- for tool in tools %}{%- set tool = tool.function %}{%- for key, val in tool.items() if key != 'return' %}\
         {%- if val is string %}{{- '\"' + key + '\": \"' + val + '\"' }}{%- else %}{{- val|tojson }}{%- endif %}{%- endfor %}{%- endfor %}\
         {%- endif %}{%- if not tool_call.id is defined or tool_call.id|length != 9 %}{{- eos_token }}{%- endif %}{%- endfor %}",
        // Gemma: roles renamed, contents that are lists; macros over schemas of tools.
        "{{ bos_token }}{%- if messages[0]['content'] is string -%}{%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}\
         {%- else -%}{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- endif -%}\
         {%- macro describe(properties, required) -%}{%- for key, value in properties | dictsort -%}{{ key }}:{{ value['type'] | upper }}\
         {%- if value['format'] %}{{ value['format'] }}{% endif -%}{%- if key in required %}!{% endif -%}\
         {%- if value.properties %}{{ describe(value.properties, value['required'] or []) }}{% endif -%}{%- endfor -%}{%- endmacro -%}\
         {%- for message in messages -%}{%- if (message['role'] == 'assistant') -%}{%- set role = 'model' -%}{%- else -%}\
         {%- set role = message['role'] -%}{%- endif -%}{{ '<start_of_turn>' + role + (first_user_prefix if loop.first else '') }}\
         {%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}{%- endfor -%}{{ describe(tools[0].parameters.properties, []) }}",
        // Phi and DeepSeek: flags, the last call, concatenation everywhere, a block that is set.
        "{% for message in messages %}{% if message['role'] == 'system' and message['tools'] is not none %}\
         {{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' }}{% endif %}{% endfor %}",
        "{% set ns = namespace(is_first=false, is_tool=false, system_prompt='', is_first_sp=true) %}\
         {%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}\
         {% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- endif %}{%- endif %}{%- endfor %}\
         {{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{% if '</think>' in message['content'] %}\
         {% set content = message['content'].split('</think>')[-1] %}{% endif %}{%- for tool in message['tool_calls'] %}\
         {{ tool['type'] + tool['function']['name'] + '\\n' + '```json' + tool['function']['arguments'] }}{%- endfor %}{%- endfor %}",
        "{% set system %}You are {{ name }}.{% endset %}{{ system | trim }}{% set roles = {'user': 'User', 'assistant': 'Bot'} %}\
         {% for m in messages %}{{ roles[m['role']] }}: {{ m['content'] }}{% endfor %}",
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
        ("{% set k %}__cla{% endset %}{{ x[k] }}", "SEC202"),
        ("{% set k | replace('-', y, count=1) %}-_class_-{% endset %}{{ x[k] }}", "SEC202"),
        ("{% set ns = namespace() %}{% set ns.k %}_{% endset %}{{ x[ns['k']] }}", "SEC202"),
        ("{% macro m() %}__class__{% endmacro %}{{ x[m()] }}", "SEC202"),
        ("{% macro m() %}__class__{% endmacro %}{% set k = m() %}{{ x[k] }}", "SEC202"),
        ("{% macro m() %}{{ x[varargs[0]] }}{% endmacro %}{{ m('_' ~ '_class__') }}", "SEC202"),
        ("{% macro m() %}{{ x[kwargs.k] }}{% endmacro %}{{ m(k='_' ~ '_class__') }}", "SEC202"),
        ("{% macro m(k) %}{{ x[k] }}{% endmacro %}{% set f = m %}{{ f('_' ~ '_class__') }}", "SEC202"),
        ("{% macro m() %}{{ x[caller()] }}{% endmacro %}{% call m() %}__class__{% endcall %}", "SEC202"),
        ("{% set a = '_x_xcxlxaxsxsx_x_' %}{{ x[a[::2]] }}", "SEC202"),
        ("{{ x[('_x_xcx', 1)[0][::2]] }}", "SEC202"),
        ("{% set l = [] %}{% set _ = l.append('__class__') %}{{ x[l[0]] }}", "SEC202"),
        ("{% set d = {} %}{% do d.update({'k': '_' ~ '_class__'}) %}{{ x[d.k] }}", "SEC202"),
        ("{% set ns = namespace({'k': '_' ~ '_class__'}) %}{{ x[ns.k] }}", "SEC202"),
        ("{% set ns = namespace(a=1, **{'k': '_' ~ '_class__'}) %}{{ x[ns.k] }}", "SEC202"),
        ("{% for a in ['__class__'] %}{{ x[loop.previtem] }}{% endfor %}", "SEC202"),
        ("{% for a in [] recursive %}{{ x[a] }}{{ loop(['_' ~ 'c']) }}{% endfor %}", "SEC202"),
        ("{{ x[loop.cycle('_')] }}", "SEC202"),
        ("{{ x[strftime_now('_%Z_class_%Z_')] }}", "SEC202"),
        ("{{ x[bos_token] }}", "SEC202"),
        ("{{ x[[['_', '_class_', '_']]|map('join')|first] }}", "SEC202"),
        ("{{ x['gi_frame'] }}", "SEC201"),
        ("{{ x[dict(gi_frame=1)|first] }}", "SEC201"),
        ("{% set k = dict(gi_frame=1)|first %}{{ x[k] }}", "SEC202"),
        ("{{ x|sum(y) }}", "SEC202"),
        ("{{ x|sort(false, false, y) }}", "SEC202"),
        ("{{ x|map('selectattr', y)|list }}", "SEC202"),
        ("{% filter attr(y) %}x{% endfilter %}", "SEC202"),
        ("{{ y['format'](x) }}", "SEC202"),
        ("{% set f = ('{0._' ~ '_class__}')['format'] %}{{ f(x) }}", "SEC202"),
        ("{{ '{0._' '_class_' '_}'.format(x) }}", "SEC202"),
        ("{{ '{0.gi_frame}'.format(x) }}", "SEC201"),
        ("{{ x|attr('format') }}", "SEC201"),
        ("{{ x['popen']('id') }}", "SEC201"),
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
