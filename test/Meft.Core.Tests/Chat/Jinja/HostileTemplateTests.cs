using CsCheck;
using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Evaluation;
using Meft.Core.Chat.Jinja.Values;
using Shouldly;

namespace Meft.Core.Tests.Chat.Jinja;

/// <summary>No template hangs, exhausts memory or the stack: it renders or gives the typed error.</summary>
public class HostileTemplateTests
{
    private const int Many = 500_000;

    private static readonly Dictionary<string, Value> Variables = new()
    {
        ["messages"] = new ListValue([MapValue.Of([KeyValuePair.Create("content", (Value)new TextValue("a b"))])]),
        ["x"] = new TextValue("text"),
    };

    public static TheoryData<string, string> Excesses => new()
    {
        { "loops in loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}" },
        { "a text that doubles", Repeat("'aaaaaaaa'", "ns.v ~ ns.v", "ns.v | length") },
        { "a text that doubles by +", Repeat("'aaaaaaaa'", "ns.v + ns.v", "ns.v | length") },
        { "a text that doubles by a filter", Repeat("'aaaaaaaa'", "ns.v | replace('a', 'aa')", "ns.v | length") },
        { "a text that doubles by join", Repeat("'aaaaaaaa'", "[ns.v, ns.v] | join", "ns.v | length") },
        { "a list that doubles", Repeat("[1, 2]", "ns.v + ns.v", "ns.v | length") },
        { "a list of twice itself", Repeat("[1]", "[ns.v, ns.v]", "ns.v | tojson | length") },
        { "a mapping of twice itself", Repeat("1", "{'a': ns.v, 'b': ns.v}", "ns.v | string | length") },
        { "a list that is deep", "{% set ns = namespace(v=[]) %}{% for i in range(99999) %}{% set ns.v = [[[[[[ns.v]]]]]] %}{% endfor %}{{ ns.v }}" },
        { "deep lists compared", "{% set ns = namespace(v=[], w=[]) %}{% for i in range(99999) %}{% set ns.v = [[[[[[ns.v]]]]]] %}{% set ns.w = [[[[[[ns.w]]]]]] %}{% endfor %}{{ ns.v == ns.w }}" },
        { "a text times a number", "{{ 'a' * 9999999999 }}" },
        { "a list times a number", "{{ [1] * 9999999999 }}" },
        { "a wide indent", "{{ 'a' | indent(9999999999, true) }}" },
        { "a range too wide", "{{ range(9999999999) }}" },
        { "long texts searched", "{% set t = 'ab' * 4000000 %}{% for i in range(99999) %}{{ t.count('b') }}{% endfor %}" },
        { "long texts compared", "{% set t = 'ab' * 4000000 %}{% set u = 'ab' * 4000000 %}{% for i in range(99999) %}{{ t == u }}{% endfor %}" },
        { "output without end", "{% for i in range(99999) %}{{ x * 1000 }}{% endfor %}" },
        { "a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}" },
        { "a loop that calls itself", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}" },
        { "brackets in brackets", "{{ " + new string('(', Many) + "1" + new string(')', Many) + " }}" },
        { "lists in lists", "{{ " + new string('[', Many) + new string(']', Many) + " }}" },
        { "not not not", "{{ " + string.Concat(Enumerable.Repeat("not ", Many)) + "1 }}" },
        { "minus minus minus", "{{ " + string.Concat(Enumerable.Repeat("- ", Many)) + "1 }}" },
        { "tags in tags", string.Concat(Enumerable.Repeat("{% if 1 %}", Many)) + string.Concat(Enumerable.Repeat("{% endif %}", Many)) },
        { "a long sum", "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", Many)) + " }}" },
        { "a long path", "{{ x" + string.Concat(Enumerable.Repeat(".x", Many)) + " }}" },
        { "many filters", "{{ x" + string.Concat(Enumerable.Repeat(" | upper", Many)) + " }}" },
        { "a tower of powers", "{{ 9 ** 9 ** 9 ** 9 }}" },
    };

    [Theory, MemberData(nameof(Excesses))]
    public void Excess_is_refused(string name, string template) =>
        Should.Throw<JinjaException>(() => JinjaTemplate.Parse(template).Render(Variables, TimeProvider.System), name).Line.ShouldBe(1);

    [Fact]
    public void A_long_conversation_is_within_the_budget()
    {
        const string template = "{% for m in messages %}{% if loop.first or messages[loop.index0 - 1].role != m.role %}"
            + "{{ '<' + m.role + '>' + m.content | trim + '</>\n' }}{% endif %}{% endfor %}";
        var messages = Enumerable.Range(0, 10_000).Select(i => MapValue.Of(
        [
            KeyValuePair.Create("role", (Value)new TextValue(i % 2 == 0 ? "user" : "assistant")),
            KeyValuePair.Create("content", (Value)new TextValue(new string('w', 200))),
        ]));
        var variables = new Dictionary<string, Value> { ["messages"] = new ListValue([.. messages]) };
        JinjaTemplate.Parse(template).Render(variables, TimeProvider.System, Budget.DefaultSteps / 2).Length.ShouldBeGreaterThan(2_000_000);
    }

    [Fact]
    public void Any_change_to_a_template_leaves_it_usable_or_gives_the_typed_error()
    {
        string[] samples =
        [
            "{%- for m in messages -%}\n  {{ '<' + m['content'] | trim ~ loop.index + '>' }}\n{%- else %}none{% endfor %}{% set a = [1, {'b': x[1:]}] %}{{ a | tojson(indent=2) }}",
            "{% macro f(a, b=2) %}{{ a if b is defined and b > 1 else -b }}{% endmacro %}{# note #}{{ f(1, b=3) }}{% set ns = namespace(v=0) %}{% set ns.v = 5 // 2 %}{{ ns.v }}",
            "{% raw %}{{ raw }}{% endraw %}{% if x.split(' ')[0].startswith('t') and not messages %}a{% elif 1.5 in [1, 2] %}b{% endif %}{% filter upper %}z{% endfilter %}",
        ];
        var outcomes = new int[2];
        Gen.Int[0, int.MaxValue].Sample(
            seed =>
            {
                var random = new Random(seed);
                var template = Mutate(samples[random.Next(samples.Length)], samples, random);
                try
                {
                    JinjaTemplate.Parse(template).Render(Variables, TimeProvider.System, steps: 100_000);
                    Interlocked.Increment(ref outcomes[0]);
                }
                catch (JinjaException)
                {
                    Interlocked.Increment(ref outcomes[1]);
                }
            },
            iter: 5_000);
        outcomes.ShouldAllBe(count => count > 0);
    }

    /// <summary>A namespace whose value grows a hundred times.</summary>
    private static string Repeat(string start, string grown, string shown) =>
        $"{{% set ns = namespace(v={start}) %}}{{% for i in range(100) %}}{{% set ns.v = {grown} %}}{{% endfor %}}{{{{ {shown} }}}}";

    private static string Mutate(string template, string[] samples, Random random)
    {
        string[] pieces = ["{{", "}}", "{%", "%}", "-", "(", ")", "[", "]", "|", ".", "'", "\"", " if ", " else ", " is ", "not ", "~", "**", "99", "\n", "{#", "\\u12", "1e", "="];
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var start = random.Next(template.Length);
            var length = Math.Min(random.Next(6), template.Length - start);
            var other = samples[random.Next(samples.Length)];
            var from = random.Next(other.Length);
            template = random.Next(4) switch
            {
                0 => template.Remove(start, length),
                1 => template.Insert(start, pieces[random.Next(pieces.Length)]),
                2 => template.Insert(start, other[from..Math.Min(from + random.Next(1, 20), other.Length)]),
                _ => template.Remove(start, length).Insert(start, pieces[random.Next(pieces.Length)]),
            };
            if (template.Length == 0) return template;
        }
        return template;
    }
}
